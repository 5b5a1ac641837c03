/**
 * The way to the relay, walked once and in stages; several proofs look at each stage. A stage has a limit of its own,
 * fails with the HcmError that a tunnel would fail with, and is not walked again.
 */
import { isIP, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { listenUrl } from '../../../protocol/addresses.ts';
import { HcmError } from '../../../protocol/errors.ts';
import { errorFromNetwork } from '../../../protocol/network-errors.ts';
import { isLoopbackName } from '../../../protocol/relay-hosts.ts';
import { orAborted, withDeadline } from '../../../tunnel/network-errors.ts';
import type { Connection, Proxy } from '../../../tunnel/options.ts';
import { connectThroughProxy } from '../../../tunnel/proxy.ts';
import { RelayDialer } from '../../../tunnel/relay-dialer.ts';
import { requestUpgrade, type UpgradeAnswer } from '../../../websocket/handshake.ts';
import { headerValues } from '../../../websocket/http-head.ts';
import { gatewayHosts, stampOf } from '../firewall/gateways.ts';
import { knownGateways, type KnownGateway } from '../firewall/known-gateways.ts';
import { chainOf, type ChainSight } from './certificate-chain.ts';
import { connectDirectly, secureUnverified } from './raw-socket.ts';
import type { Scene } from './scene.ts';
import type { CancelSignal } from '../../../tunnel/network-errors.ts';

/** As long as a tunnel waits. */
const CONNECT_LIMIT_MS = 10_000;
/** A resolver asks several servers, several times. */
const DNS_LIMIT_MS = 10_000;
/** To an upgrade without a token the relay says no at once; the emulator holds back who asks too often. */
const ANSWER_LIMIT_MS = 15_000;
const LOOPBACK_ADDRESSES = ['127.0.0.1', '::1'];

/** What came of TLS, and of a first question to whoever is at the other end. */
export interface Greeting {
  readonly chain: ChainSight | undefined;
  /** Why TLS is not good enough to go on. */
  readonly tlsError: HcmError | undefined;
  readonly answer: UpgradeAnswer | undefined;
  /** Why there is no answer. */
  readonly answerError: Error | undefined;
  /** The relay's clock minus ours, in ms; undefined when it did not say. */
  readonly skewMs: number | undefined;
}

export class Way {
  readonly dialer: RelayDialer;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly proxy: Proxy | undefined;
  /** The variable that names the proxy cannot be read. */
  readonly proxyFault: HcmError | undefined;
  readonly #scene: Scene;

  /** Opens nothing yet. */
  constructor(scene: Scene, { endpoint, path }: Pick<Connection, 'endpoint' | 'path'>) {
    this.#scene = scene;
    ({ host: this.host, port: this.port } = endpoint);
    this.path = path;
    this.dialer = new RelayDialer(scene.network, scene.clock);
    try {
      const isLocal = isLoopbackName(this.host);
      this.proxy = isLocal ? undefined : scene.network.proxyFor?.(this.host, this.port);
    } catch (error) {
      if (!(error instanceof HcmError)) throw error;
      this.proxyFault = error;
    }
  }

  /** Rejects with HCM_DNS_FAILED; behind a proxy, too, where that need not matter. */
  readonly names = once(() =>
    this.#limited(
      DNS_LIMIT_MS,
      `No DNS server answered for ${this.host}`,
      'HCM_DNS_FAILED',
      async (signal) => {
        if (isIP(this.host)) return { addresses: [this.host], aliases: [] };
        if (isLoopbackName(this.host)) return { addresses: LOOPBACK_ADDRESSES, aliases: [] };
        const [addresses, aliases] = await orAborted(this.#resolve(), signal);
        return { addresses, aliases };
      },
    ),
  );

  /** The gateways that the aliases tell of, and which of their names are known. No stamp: nothing tells. */
  readonly gateways = once(
    async (): Promise<{ stamp: string | undefined; hosts: readonly KnownGateway[] }> => {
      const { dns, clock, signal } = this.#scene;
      const { aliases } = await this.names().catch(() => ({ aliases: [] }));
      const stamp = stampOf(aliases);
      if (stamp === undefined) return { stamp, hosts: [] };
      return { stamp, hosts: await knownGateways(gatewayHosts(this.host, stamp), { dns, clock, signal }) };
    },
  );

  /** A connection to the relay made by the proxy, and closed again. Nothing without a proxy. */
  readonly proxied = once(async (): Promise<void> => {
    if (this.proxyFault) throw this.proxyFault;
    if (this.proxy) (await this.#connect(this.host, this.port)).destroy();
  });

  /** A TCP connection, closed again. Resolves with the address that answered; undefined behind a proxy. */
  readonly reached = once(async (): Promise<string | undefined> => {
    if (this.proxy) {
      await this.proxied();
      return undefined;
    }
    const socket = await this.#connect(this.host, this.port);
    const { remoteAddress } = socket;
    socket.destroy();
    return remoteAddress;
  });

  /** A TCP connection to a gateway of the relay, on the same way; closed again. */
  async reach(host: string, port: number): Promise<void> {
    (await this.#connect(host, port)).destroy();
  }

  /** TLS as a tunnel makes it, and a first question. Rejects only when the network fails below TLS. */
  readonly greeted = once(async (): Promise<Greeting> => {
    await this.reached();
    try {
      const socket = await this.dialer.dial(this.host, this.port, this.#scene.signal);
      return await this.#ask(socket, undefined);
    } catch (error) {
      if (!(error instanceof HcmError) || !error.code.startsWith('HCM_TLS_')) throw error;
      return this.#askUnverified(error);
    }
  });

  /** Who it is that is not trusted, and what time it is there: nothing secret is told. */
  async #askUnverified(tlsError: HcmError): Promise<Greeting> {
    const limit = 'TLS did not come about';
    try {
      const tcp = await this.#connect(this.host, this.port);
      const socket = await this.#limited(CONNECT_LIMIT_MS, limit, 'HCM_TLS_FAILED', (signal) =>
        secureUnverified(tcp, this.host, this.port, signal),
      );
      return await this.#ask(socket, tlsError);
    } catch (error) {
      if (this.#scene.signal.aborted) throw error;
      const answerError = error as Error;
      return { tlsError, answerError, chain: undefined, answer: undefined, skewMs: undefined };
    }
  }

  /**
   * To listen without a token is refused by every relay, and disturbs nobody; what the refusal looks like tells whether
   * the upgrade got there.
   */
  async #ask(socket: Socket, tlsError: HcmError | undefined): Promise<Greeting> {
    const chain = socket instanceof TLSSocket ? chainOf(socket) : undefined;
    const url = listenUrl({ host: this.host, port: this.port }, this.path);
    const target = `${url.pathname}${url.search}`;
    const { clock, signal } = this.#scene;
    const askedAtMs = clock.nowMs();
    try {
      const late = `${this.host} did not answer the request to upgrade`;
      const answer = await this.#limited(ANSWER_LIMIT_MS, late, 'HCM_HANDSHAKE_FAILED', (inner) =>
        requestUpgrade(socket, { target, host: url.host }, inner),
      );
      const dateMs = Date.parse(headerValues(answer.rawHeaders, 'Date')[0] ?? '');
      // The header has whole seconds: half of one is the best guess of what was cut off.
      const skewMs = Number.isNaN(dateMs) ? undefined : dateMs + 500 - (askedAtMs + clock.nowMs()) / 2;
      return { chain, tlsError, answer, answerError: undefined, skewMs };
    } catch (error) {
      if (signal.aborted) throw error;
      return { chain, tlsError, answer: undefined, answerError: error as Error, skewMs: undefined };
    } finally {
      socket.destroy();
    }
  }

  async #resolve(): Promise<[readonly string[], readonly string[]]> {
    const { dns } = this.#scene;
    const addresses = dns.addresses(this.host).catch((error: Error) => {
      throw errorFromNetwork(error, this.host, this.port);
    });
    return Promise.all([addresses, dns.aliases(this.host)]);
  }

  #connect(host: string, port: number): Promise<Socket> {
    const limitMs = this.#scene.network.connectTimeoutMs ?? CONNECT_LIMIT_MS;
    const late = `No connection to ${host}:${port} within ${limitMs / 1_000} s`;
    return this.#limited(
      limitMs,
      late,
      'HCM_CONNECT_TIMEOUT',
      async (signal) => {
        if (this.proxy) return connectThroughProxy(this.proxy, { host, port }, signal);
        return connectDirectly(host, port, await this.#addressesOf(host, port, signal), signal);
      },
      { host, port },
    );
  }

  async #addressesOf(host: string, port: number, signal: CancelSignal): Promise<readonly string[]> {
    if (host === this.host) return (await this.names()).addresses;
    const asked = this.#scene.dns.addresses(host).catch((error: Error) => {
      throw errorFromNetwork(error, host, port);
    });
    return orAborted(asked, signal);
  }

  #limited<T>(
    limitMs: number,
    text: string,
    code: HcmError['code'],
    act: (signal: CancelSignal) => Promise<T>,
    details: Record<string, string | number> = { host: this.host, port: this.port },
  ): Promise<T> {
    const { clock, signal } = this.#scene;
    const late = () => new HcmError(code, text, { retryable: true, details });
    return withDeadline({ clock, limitMs, late, signal }, act);
  }
}

/** Calls `make` at the first use; later uses get the same result, or the same failure. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
