/** What comes in from outside: the network around us, and the limits of a tunnel. Every field has a default. */
import type { AllowRule } from '../protocol/allow-list.ts';
import type { TargetAddress } from '../protocol/target-address.ts';
import type { Target } from '../protocol/target.ts';
import type { Clock } from './clock.ts';
import type { TunnelEventHandler } from './events.ts';
import type { RequestHandler } from './http/request-server.ts';
import type { TokenProvider } from './token-provider.ts';

/** Where a hybrid connection is, and how to prove that we may use it. */
export interface Connection {
  /** The namespace's host, and the port of its TLS endpoint (443 on Azure). */
  endpoint: { host: string; port: number };
  /** The entity: may hold `/`. */
  path: string;
  /** Undefined: an anonymous sender. A listener always needs one. */
  tokens?: TokenProvider | undefined;
}

/** An outbound proxy. The password never appears in an event or an error. */
export interface Proxy {
  kind: 'http' | 'socks5';
  host: string;
  port: number;
  username?: string | undefined;
  password?: string | undefined;
}

export interface NetworkOptions {
  /** Private CAs (PEM) that are trusted for every host, beside the system's. */
  ca?: readonly string[] | undefined;
  /**
   * A CA (PEM) that is trusted for loopback names only: the local emulator's. As a function it is asked for again once a
   * certificate was not trusted: the first emulator of a machine makes its CA when it starts.
   */
  loopbackCa?: string | (() => string | undefined) | undefined;
  /** The proxy to reach `host:port` through, or undefined for none. Loopback never goes through a proxy. */
  proxyFor?: ((host: string, port: number) => Proxy | undefined) | undefined;
  /** TCP, proxy and TLS together, in ms. Default 10 s. */
  connectTimeoutMs?: number | undefined;
  /** Speaks without TLS to loopback hosts: for benchmarks of the framing alone. Refused for any other host. */
  insecureLoopback?: boolean | undefined;
}

export type KeepAliveMode = 'ping' | 'pong' | 'off';

export interface TunnelOptions extends NetworkOptions {
  /** Pings find a dead peer; unsolicited Pongs only keep the path open; default `ping`. */
  keepAlive?: KeepAliveMode | undefined;
  /** A stream without a byte for this long is aborted, in ms. Default: no limit. */
  idleTimeoutMs?: number | undefined;
  /** Dialect azbridge: a UDP client without a datagram for this long is over, which is no error. Default 4 min. */
  datagramIdleTimeoutMs?: number | undefined;
  onEvent?: TunnelEventHandler | undefined;
  clock?: Clock | undefined;
  /** In [0, 1): for jitter. */
  random?: (() => number) | undefined;
}

export interface ListenerOptions extends TunnelOptions {
  /** Where accepted streams go. Default: what the entity's metadata says. */
  target?: Target | undefined;
  /** The same for more than TCP, and instead of `target`. Of an HTTP address raw streams go to its host and port. */
  address?: TargetAddress | undefined;
  /** What the two ends speak inside a stream. Default `raw`: every byte is the target's. */
  dialect?: 'raw' | 'azbridge' | undefined;
  /** Dialect azbridge: each logical port, and where it leads. */
  ports?: ReadonlyMap<string, TargetAddress> | undefined;
  /** Answers relayed HTTP requests. Default: the HTTP target does, where there is one; else they get 501. */
  onRequest?: RequestHandler | undefined;
  /** HTTP target: the connection's name stays in front of the path. Default: it is cut off. */
  keepPath?: boolean | undefined;
  /** HTTP target: `original` is the sender's `Host`, any other text is itself. Default: the target's. */
  hostHeader?: string | undefined;
  /** Tells the target who the sender is, in a PROXY protocol header before the first byte. Default: nothing. */
  proxyProtocol?: 'v2' | undefined;
  /** Only these targets may be dialed. Default: just the target given; with metadata, any that it names. */
  allow?: readonly AllowRule[] | undefined;
  /** Without `allow`: the only target that the metadata may name. Default: the first one that they name. */
  confirmedTarget?: Target | undefined;
  /** Streams and requests at a time; more are rejected with 503. Default 10,000. */
  maxStreams?: number | undefined;
  /** For name resolution and TCP together, in ms. Default 10 s. */
  dialTimeoutMs?: number | undefined;
  /** A first attempt that is answered 401, 403 or "no such entity" is retried too. Default false. */
  keepTrying?: boolean | undefined;
}

export interface SenderOptions extends TunnelOptions {
  /** One attempt's limit, in ms: the relay holds the handshake while the listener dials. Default 40 s. */
  attemptTimeoutMs?: number | undefined;
  /** All attempts together, in ms. Default 60 s. */
  totalTimeoutMs?: number | undefined;
}
