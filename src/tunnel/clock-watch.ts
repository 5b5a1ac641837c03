/**
 * Notices that the machine slept or that its clock was set: wall-clock time and elapsed time drift apart, or a
 * timer comes far too late.
 */
import type { Clock } from './clock.ts';

const INTERVAL_MS = 10_000;
const JUMP_MS = 5_000;

/** Calls `onJump` after each jump of more than 5 s; the returned function stops watching. */
export function watchClock(clock: Clock, onJump: () => void): () => void {
  let wallMs = clock.nowMs();
  let elapsedMs = clock.monotonicMs();
  let cancel: () => void = () => undefined;
  const look = () => {
    const wall = clock.nowMs() - wallMs;
    const elapsed = clock.monotonicMs() - elapsedMs;
    wallMs += wall;
    elapsedMs += elapsed;
    cancel = clock.setTimer(INTERVAL_MS, look);
    if (Math.abs(wall - elapsed) > JUMP_MS || elapsed - INTERVAL_MS > JUMP_MS) onJump();
  };
  cancel = clock.setTimer(INTERVAL_MS, look);
  return () => cancel();
}
