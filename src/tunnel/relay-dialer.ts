/**
 * Opens connections to the relay: TCP (through a proxy where one applies), then TLS with the certificate verified.
 * One dialer serves a tunnel's whole life: its secure contexts and TLS sessions make the next connection cheaper.
 */
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
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

const CONNECT_TIMEOUT_MS = 10_000;
/** Azure Relay's front ends prefer P-384; offering another first costs a round trip for each connection. */
const PUBLIC_CURVES = 'secp384r1:X25519:prime256v1';
/** On loopback a round trip is free and P-384 is the cost: 9 ms of CPU a connection where X25519 takes 3. */
const LOOPBACK_CURVES = 'X25519:secp384r1:prime256v1';
/** RFC 6761: resolvers need not know the names under localhost, so we do; and asking costs a thread each time. */
const LOOPBACK_ADDRESSES = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

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
  async dial(host: string, port: number, signal?: AbortSignal): Promise<Socket> {
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

  async #dial(host: string, port: number, signal: AbortSignal): Promise<Socket> {
    const loopback = isLoopbackName(host);
    const proxy = loopback ? undefined : this.#options.proxyFor?.(host, port);
    const tcp = proxy
      ? await connectThroughProxy(proxy, { host, port }, signal)
      : await settled(
          connectTcp({
            host,
            port,
            noDelay: true,
            allowHalfOpen: true,
            ...(loopback ? { lookup: loopbackLookup } : {}),
          }),
          'connect',
          { host, port, signal },
        );
    if (loopback && this.#options.insecureLoopback) return tcp;
    return this.#secure(tcp, { host, port, signal, loopback });
  }

  async #secure(tcp: Socket, peer: Peer & { loopback: boolean }): Promise<TLSSocket> {
    const key = `${peer.host}:${peer.port}`;
    const session = this.#sessions.get(key);
    const tls = connectTls({
      socket: tcp,
      host: peer.host,
      ...(isIP(peer.host) ? {} : { servername: peer.host }),
      secureContext: this.#contextFor(peer.loopback),
      ...(session ? { session } : {}),
    });
    tls.on('session', (ticket) => this.#sessions.set(key, ticket));
    return settled(tls, 'secureConnect', peer);
  }

  #contextFor(loopback: boolean): SecureContext {
    const kind = loopback ? 'loopback' : 'public';
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
    const { loopbackCa, ca = [] } = this.#options;
    const all = loopbackCa === undefined ? [...ca] : [loopbackCa, ...ca];
    return all.length > 0 ? all : undefined;
  }

  /** Undefined leaves Node's own store, with NODE_EXTRA_CA_CERTS, in place. */
  #publicCas(): string[] | undefined {
    const { ca = [] } = this.#options;
    return ca.length > 0 ? [...rootCertificates, ...ca] : undefined;
  }
}

const loopbackLookup: LookupFunction = (_host, options, done) => {
  const [first] = LOOPBACK_ADDRESSES;
  if (options.all) done(null, LOOPBACK_ADDRESSES);
  else done(null, first?.address ?? '', first?.family);
};

interface Peer {
  host: string;
  port: number;
  signal: AbortSignal;
}

/** Resolves at `event`, rejects with an HcmError at an error before it; destroys the socket when it rejects. */
function settled<T extends Socket>(socket: T, event: 'connect' | 'secureConnect', peer: Peer): Promise<T> {
  const { host, port, signal } = peer;
  return new Promise((resolve, reject) => {
    // Between two owners, and after the last, an error has no reader; 'close' tells the next one.
    socket.on('error', () => undefined);
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
    const onAbort = () => fail(signal.reason as Error);
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
