/**
 * What a tunnel tells the world: one stream of events that log, metrics, status, tests and `--json` all listen to.
 * `time` is ISO 8601 in UTC; `connection` is NAMESPACE-HOST/NAME; `stream` is the id that both ends know.
 */
import type { HcmError } from '../protocol/errors.ts';

interface EventBase {
  time: string;
  connection: string;
}

export interface StreamClosed {
  /** Bytes from the relay to the target (listener), or to the local client (sender). */
  bytesIn: number;
  bytesOut: number;
  /** Undefined: both directions ended. */
  error?: HcmError | undefined;
}

export interface RequestServed {
  /** Absent: the relay never said what the request was. */
  method?: string | undefined;
  /** Without the query. */
  path?: string | undefined;
  /** What our answer was; absent: there was none. */
  status?: number | undefined;
  /** Bytes of the request's body, and of the response's. */
  bytesIn: number;
  bytesOut: number;
  durationMs: number;
  target?: string | undefined;
  remote?: string | undefined;
  /** Why the sender got an error, or less than all of a response. */
  error?: HcmError | undefined;
}

export type TunnelEvent = EventBase &
  (
    | { event: 'connecting' }
    /** `error`: nothing is forwarded to this target, because it is not the one that was confirmed. */
    | { event: 'online'; target?: string | undefined; error?: HcmError | undefined }
    /** Listener: the metadata name another target now, for the next streams. `error` as in `online`. */
    | { event: 'target-changed'; target: string; error?: HcmError | undefined }
    /** The control channel is gone; the next attempt comes in `retryInMs`. */
    | { event: 'reconnecting'; retryInMs: number; attempt: number; error: HcmError }
    /** Ended, and not coming back by itself: stopped (no error) or failed. */
    | { event: 'offline'; error?: HcmError | undefined }
    | { event: 'token-renewed'; expiresAt: string }
    /** This machine's clock and the relay's differ by `skewMs` (positive: ours is ahead). */
    | { event: 'clock-skew'; skewMs: number }
    /** Listener: a stream is open; `setupMs` since the relay's accept command. */
    | ({
        event: 'accepted';
        stream: string;
        target: string;
        remote?: string | undefined;
        setupMs: number;
      } & OfPort)
    | ({ event: 'rejected'; stream: string; target?: string | undefined; error: HcmError } & OfPort)
    | ({ event: 'closed'; stream: string } & StreamClosed)
    /** Listener: a relayed HTTP request is over. */
    | ({ event: 'request'; stream: string } & RequestServed)
    /** Sender: a local client came and its rendezvous is being made. */
    | { event: 'opening'; stream: string; remote?: string | undefined }
    | ({ event: 'opened'; stream: string; setupMs: number } & OfPort)
    /** Sender: the relay or the listener refused; the local client was reset. */
    | { event: 'refused'; stream: string; error: HcmError }
    /** UDP over azbridge: `count` datagrams in all were dropped for this reason. Told at 1, 10, 100 and so on. */
    | {
        event: 'datagrams-dropped';
        port: string;
        stream?: string | undefined;
        reason: DropReason;
        count: number;
      }
  );

/** Dialect azbridge: the logical port, as its name stands in the preamble. */
interface OfPort {
  port?: string | undefined;
}

/** Why a datagram was dropped. */
export type DropReason =
  /** The relay, or the local network, takes no more now. */
  | 'relay-slow'
  | 'network-slow'
  /** Enough waits already for a stream that is not open yet. */
  | 'opening'
  /** A client more than may have a stream at a time. */
  | 'too-many-routes'
  /** Longer than UDP carries. */
  | 'too-long'
  /** Nobody listens at the target: what ICMP says. */
  | 'refused'
  /** Any other error of the local network. */
  | 'failed';

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** An event as its maker writes it; time and connection are added by the emitter. */
export type TunnelEventBody = DistributiveOmit<TunnelEvent, 'time' | 'connection'>;

export type TunnelEventHandler = (event: TunnelEvent) => void;
