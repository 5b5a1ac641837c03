/**
 * How a long-running command ends: by itself, or by Ctrl-C or SIGTERM. The first signal stops in
 * peace (drains), the second stops now, with the status of the signal.
 */
import { EXIT } from '../error-table.ts';
import { endAtOnce, STOP_SIGNALS } from './stop-signals.ts';

export interface Stoppable<T> {
  /**
   * Starts it, or says that it is ready: signals are heard from now on, and whoever reads `ready` may send one at once.
   * Resolves when it ended by itself; what it does after `stop` does not count.
   */
  begin(): Promise<T>;
  /** Stops in peace; may have a result, too. */
  stop(signal: NodeJS.Signals): Promise<T | void>;
  /** Stops now; called at the second signal, and has until it resolves. */
  abort(): Promise<void>;
  onStopping?(signal: NodeJS.Signals): void;
}

export interface Ended<T> {
  /** Undefined when a signal stopped it and it had nothing to say. */
  result: T | undefined;
  /** 0, or 130 and 143 after a second signal. */
  exitStatus: number;
}

/** Rejects when `begin` does. Signals have their usual effect again afterwards. */
export async function untilStopped<T>(
  running: Stoppable<T>,
  signals: NodeJS.EventEmitter = process,
): Promise<Ended<T>> {
  let count = 0;
  let settle: (ended: Ended<T>) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const stopped = new Promise<Ended<T>>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  const onSignal = (signal: NodeJS.Signals) => {
    count += 1;
    if (count === 1) {
      running.onStopping?.(signal);
      // Once the second signal came, the end in peace is not waited for any more.
      running
        .stop(signal)
        .then((result) => count === 1 && settle({ result: result ?? undefined, exitStatus: 0 }), fail);
    } else if (count === 2) {
      running.abort().then(() => settle({ result: undefined, exitStatus: statusOfSignal(signal) }), fail);
    }
  };
  // In this order: without any listener for a moment, Node forgets a signal that came while it was busy.
  for (const signal of STOP_SIGNALS) signals.on(signal, onSignal).off(signal, endAtOnce);
  try {
    const byItself = running.begin().then(
      (result) => (count === 0 ? { result, exitStatus: 0 } : stopped),
      (error: unknown) => (count === 0 ? Promise.reject(error as Error) : stopped),
    );
    return await Promise.race([stopped, byItself]);
  } finally {
    for (const signal of STOP_SIGNALS) signals.off(signal, onSignal);
  }
}

/** The exit status of a run that a signal has cut short. */
export function statusOfSignal(signal: NodeJS.Signals): number {
  return signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
}
