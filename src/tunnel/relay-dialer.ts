/**
 * Opens connections to the relay: TCP (through a proxy where one applies), then TLS with the certificate verified.
 * One dialer serves a tunnel's whole life: its secure contexts and TLS sessions make the next connection cheaper.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import {
  connect as connectTls,
  createSecureContext,
  rootCertificates,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { isLoopbackName } from '../protocol/addresses.ts';
import { HcmError } from '../protocol/errors.ts';
import type { Clock } from './clock.ts';
import { errorFromNetwork, withDeadline } from './network-errors.ts';
import type { NetworkOptions } from './options.ts';
import { connectThroughProxy } from './proxy.ts';
import { withoutCertificate } from './tls-session.ts';
import type { CancelSignal } from '../websocket/cancel-signal.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** Azure Relay's front ends prefer P-384; offering another first costs a round trip for each connection. */
const PUBLIC_CURVES = 'secp384r1:X25519:prime256v1';
/** On loopback a round trip is free and P-384 is the cost: 9 ms of CPU a connection where X25519 takes 3. */
const LOOPBACK_CURVES = 'X25519:secp384r1:prime256v1';
/** RFC 6761: resolvers need not know the names under localhost, so we do; and asking costs a thread each time. */
const LOOPBACK_ADDRESSES = ['127.0.0.1', '::1'] as const;

export class RelayDialer {
  readonly #options: NetworkOptions;
  readonly #clock: Clock;
  readonly #contexts = new Map<'loopback' | 'public', SecureContext>();
  readonly #sessions = new Map<string, Buffer>();

  constructor(options: NetworkOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /**
   * Resolves with a connected, verified socket that allows half-open use, and is the caller's from then on. Rejects
   * with HcmError: HCM_DNS_FAILED, HCM_CONNECT_*, HCM_TLS_*, HCM_PROXY_*; with the signal's reason when it fires.
   */
  async dial(host: string, port: number, signal?: CancelSignal): Promise<Socket> {
    const name = `${host}:${port}`;
    const limitMs = this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    const late = () =>
      new HcmError('HCM_CONNECT_TIMEOUT', `No connection to ${name} within ${limitMs / 1000} s`, {
        retryable: true,
        details: { host, port },
      });
    return withDeadline({ clock: this.#clock, limitMs, late, signal }, (inner) =>
      this.#dial(host, port, inner),
    );
  }

  async #dial(host: string, port: number, signal: CancelSignal): Promise<Socket> {
    const peer = { host, port, signal };
    if (isLoopbackName(host)) return this.#dialLoopback(peer);
    const proxy = this.#options.proxyFor?.(host, port);
    const socket = proxy && (await connectThroughProxy(proxy, { host, port }, signal));
    const tls = this.#secure(peer, 'public', socket ? { socket } : { host, port, allowHalfOpen: true });
    return settled(tls, 'secureConnect', peer);
  }

  /** The addresses of a loopback name in turn: asking for them, or trying both at once, would cost more than it gives. */
  async #dialLoopback(peer: Peer): Promise<Socket> {
    let failure: unknown;
    for (const address of isIP(peer.host) ? [peer.host] : LOOPBACK_ADDRESSES) {
      try {
        return await this.#dialAddress(address, peer);
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  }

  #dialAddress(address: string, peer: Peer): Promise<Socket> {
    const where = { host: address, port: peer.port, allowHalfOpen: true, noDelay: true };
    if (this.#options.insecureLoopback) return settled(connectTcp(where), 'connect', peer);
    return settled(this.#secure(peer, 'loopback', where), 'secureConnect', peer).catch((error: unknown) => {
      if (error instanceof HcmError && error.code === 'HCM_TLS_UNTRUSTED') this.#contexts.delete('loopback');
      throw error;
    });
  }

  /** One socket object for TCP and TLS, unless a proxy made the TCP connection. */
  #secure(
    { host, port }: Peer,
    kind: 'loopback' | 'public',
    way: { socket: Socket } | { host: string; port: number; allowHalfOpen: boolean },
  ): TLSSocket {
    const key = `${host}:${port}`;
    const session = this.#sessions.get(key);
    const tls = connectTls({
      ...way,
      ...(isIP(host) ? { host } : { servername: host }),
      secureContext: this.#contextFor(kind),
      ...(session ? { session } : {}),
    });
    return tls.on('session', (ticket) => this.#sessions.set(key, withoutCertificate(ticket)));
  }

  #contextFor(kind: 'loopback' | 'public'): SecureContext {
    const loopback = kind === 'loopback';
    const known = this.#contexts.get(kind);
    if (known) return known;
    const ca = loopback ? this.#loopbackCas() : this.#publicCas();
    const context = createSecureContext({
      minVersion: 'TLSv1.2',
      ecdhCurve: loopback ? LOOPBACK_CURVES : PUBLIC_CURVES,
      ...(ca ? { ca } : {}),
    });
    this.#contexts.set(kind, context);
    return context;
  }

  #loopbackCas(): string[] | undefined {
    const { ca = [] } = this.#options;
    const loopbackCa = loopbackCaOf(this.#options);
    const all = loopbackCa === undefined ? [...ca] : [loopbackCa, ...ca];
    return all.length > 0 ? all : undefined;
  }

  /** Undefined leaves Node's own store, with NODE_EXTRA_CA_CERTS, in place. */
  #publicCas(): string[] | undefined {
    const { ca = [] } = this.#options;
    return ca.length > 0 ? [...rootCertificates, ...ca] : undefined;
  }
}

/** The CA that is trusted for loopback names now. */
export function loopbackCaOf({ loopbackCa }: NetworkOptions): string | undefined {
  return typeof loopbackCa === 'function' ? loopbackCa() : loopbackCa;
}

/** Of the module: a function made beside the others would keep the whole attempt alive as long as the socket. */
function ignore(): void {}

interface Peer {
  host: string;
  port: number;
  signal: CancelSignal;
}

/** Resolves at `event`, rejects with an HcmError at an error before it; destroys the socket when it rejects. */
function settled<T extends Socket>(socket: T, event: 'connect' | 'secureConnect', peer: Peer): Promise<T> {
  const { host, port, signal } = peer;
  return new Promise((resolve, reject) => {
    // Between two owners, and after the last, an error has no reader; 'close' tells the next one.
    socket.on('error', ignore);
    const finish = () => {
      socket.off('error', onError).off('close', onClose).off(event, onReady);
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (error: Error) => {
      finish();
      socket.destroy();
      reject(error);
    };
    const onError = (error: Error) => fail(errorFromNetwork(error, host, port));
    const onClose = () => onError(new Error('the connection was closed during the handshake'));
    const onAbort = () => fail(signal.reason);
    const onReady = () => {
      finish();
      socket.setNoDelay(true);
      resolve(socket);
    };
    if (signal.aborted) return onAbort();
    socket.once('error', onError).once('close', onClose).once(event, onReady);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
