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

export type TunnelEvent = EventBase &
  (
    | { event: 'connecting' }
    | { event: 'online'; target?: string | undefined }
    /** The control channel is gone; the next attempt comes in `retryInMs`. */
    | { event: 'reconnecting'; retryInMs: number; attempt: number; error: HcmError }
    /** Ended, and not coming back by itself: stopped (no error) or failed. */
    | { event: 'offline'; error?: HcmError | undefined }
    | { event: 'token-renewed'; expiresAt: string }
    /** This machine's clock and the relay's differ by `skewMs` (positive: ours is ahead). */
    | { event: 'clock-skew'; skewMs: number }
    | { event: 'accepted'; stream: string; target: string; remote?: string | undefined }
    | { event: 'rejected'; stream: string; target?: string | undefined; error: HcmError }
    | ({ event: 'closed'; stream: string } & StreamClosed)
    /** Sender: a local client came and its rendezvous is being made. */
    | { event: 'opening'; stream: string; remote?: string | undefined }
    | { event: 'opened'; stream: string; setupMs: number }
    /** Sender: the relay or the listener refused; the local client was reset. */
    | { event: 'refused'; stream: string; error: HcmError }
  );

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** An event as its maker writes it; time and connection are added by the emitter. */
export type TunnelEventBody = DistributiveOmit<TunnelEvent, 'time' | 'connection'>;

export type TunnelEventHandler = (event: TunnelEvent) => void;
