/**
 * One end of a forwarded stream: bytes both ways, each direction ended by itself. A TCP socket, a rendezvous and
 * stdin/stdout all look like this to the forwarder, which joins two of them.
 */
import type { Hold } from '../websocket/socket-reader.ts';

export interface ByteEndEvents {
  /**
   * Bytes from the peer, never empty in sum. Valid during the call. Whoever keeps them holds them, and copies where
   * `hold` is missing or gives undefined.
   */
  onBytes(chunks: readonly Buffer[], hold?: Hold): void;
  /** The peer has ended its direction; ours stays open. */
  onEnd(): void;
  /** What was written has left; after a `false` from `write`. */
  onDrain(): void;
  /** The end is gone: once, last. Undefined: both directions had ended. */
  onClosed(error: Error | undefined): void;
}

export interface ByteEnd {
  /** Begins delivering; called once. */
  start(events: ByteEndEvents): void;
  /** Takes all of it. False: `onDrain` will tell when to go on. */
  write(chunks: readonly Buffer[], hold?: Hold): boolean;
  /** Ends our direction, after what was written. */
  end(): void;
  /** Aborts so that the peer sees an error, not an end. */
  reset(error: Error): void;
  pause(): void;
  resume(): void;
  /** For an end that never ends by itself: the tunnel is being stopped, so that it ends now. */
  retire?(): void;
}

/** More than this waiting in one direction, and its source is paused. Bounds the memory of a stalled reader. */
export const HIGH_WATER_BYTES = 256 * 1024;

export function totalBytes(chunks: readonly Buffer[]): number {
  let total = 0;
  for (const chunk of chunks) total += chunk.length;
  return total;
}
