/**
 * Reads a hybrid connection's description again while its listener is online, so that a target that was changed in Azure
 * is seen without a restart. A read that fails changes nothing: what is known goes on to count.
 */
import { sleep, type Clock } from './clock.ts';
import type { CancelSignal } from '../websocket/cancel-signal.ts';

/**
 * A target is changed by hand and seldom, and a read costs the relay a TLS connection: a few minutes are soon enough.
 * Up to a quarter is taken off at random, so that many listeners do not ask in step.
 */
export const METADATA_POLL_MS = 300_000;
const JITTER_SHARE = 0.25;

export interface MetadataWatchOptions {
  clock: Clock;
  random: () => number;
  /** True: the first read is due at once, since what is known is from before. */
  isStale: boolean;
  /** Reads it and makes use of it. Rejections are ignored. */
  read: (signal: CancelSignal) => Promise<void>;
}

/** The returned function ends it; a read that is under way is aborted. */
export function watchMetadata(options: MetadataWatchOptions): () => void {
  const ending = new AbortController();
  void keepReading(options, ending.signal).catch(() => undefined);
  return () => ending.abort();
}

/** The pause before the next read, in ms. */
export function metadataPauseMs(random: () => number): number {
  return Math.round(METADATA_POLL_MS * (1 - JITTER_SHARE * random()));
}

async function keepReading(
  { clock, random, isStale, read }: MetadataWatchOptions,
  signal: CancelSignal,
): Promise<void> {
  for (let isDue = isStale; ; isDue = true) {
    if (isDue) await read(signal).catch(() => undefined);
    if (signal.aborted) return;
    await sleep(clock, metadataPauseMs(random), signal);
  }
}
