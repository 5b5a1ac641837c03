/**
 * How an attempt is told to give up. Any AbortSignal will do. Where an attempt makes one of its own, it makes a
 * Cancellation: opening a stream takes three of them, and AbortSignals, which are EventTargets, were a fourteenth of
 * the work of that.
 */

/** The part of AbortSignal that we use. */
export interface CancelSignal {
  readonly aborted: boolean;
  /** Why. Nothing to read before it fires. */
  readonly reason: Error;
  addEventListener(type: 'abort', listener: () => void, options?: { once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export class Cancellation implements CancelSignal {
  readonly #listeners = new Set<() => void>();
  #aborted = false;
  #reason: Error | undefined;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): Error {
    return this.#reason as Error;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (!this.#aborted) this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** Tells all who listen, once; the first reason stays. One that throws keeps none of the others from hearing it. */
  abort(reason: Error): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    for (const listener of this.#listeners) {
      this.#listeners.delete(listener);
      try {
        listener();
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

/** An AbortSignal that fires with this one, for what takes nothing else. Held by it until then. */
export function abortSignalOf(signal: CancelSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return controller.signal;
}
