/** Time between the calls of one command: injected, so that tests need not wait. */
import { setTimeout as sleepFor } from 'node:timers/promises';

export interface ArmClock {
  nowMs(): number;
  /** Resolves after `delayMs`; rejects at once with the signal's reason when that fires. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export const systemArmClock: ArmClock = {
  nowMs: () => performance.now(),
  async sleep(delayMs, signal) {
    try {
      await sleepFor(delayMs, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      throw (signal?.reason as Error | undefined) ?? error;
    }
  },
};
