/** How Ctrl-C ends the work of a command that ends by itself. */
import { HcmError } from '../../protocol/errors.ts';
import { STOP_SIGNALS } from './stop-signals.ts';
import { statusOfSignal } from './until-stopped.ts';

/**
 * Aborts, with HCM_INTERRUPTED, at the first Ctrl-C or SIGTERM; the second ends the program at once. To be made once,
 * when the work begins.
 */
export function interruptSignal({
  signals = process,
  exit = (status) => process.exit(status),
}: { signals?: NodeJS.EventEmitter; exit?: (status: number) => void } = {}): AbortSignal {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) return exit(statusOfSignal(signal));
    controller.abort(new HcmError('HCM_INTERRUPTED', 'Interrupted.', { details: { signal } }));
  };
  for (const signal of STOP_SIGNALS) signals.on(signal, onSignal);
  return controller.signal;
}
