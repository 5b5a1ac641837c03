/**
 * The steps of one command: what is done is remembered, so that a command which fails or is interrupted half-way says
 * what exists now. Every such command goes on where it ended when it is typed again.
 */
import { HcmError } from '../../protocol/errors.ts';
import type { Azure } from '../arm/azure.ts';

export interface Step {
  /** `creating the rule "x"`. */
  doing: string;
  /** `created the rule "x"`; undefined for what need not be told afterwards. */
  done?: string;
}

const GOES_ON = 'The same command goes on from there.';

export class Steps {
  readonly #azure: Pick<Azure, 'report' | 'signal'>;
  readonly #done: string[] = [];
  /** Errors that tell of the steps already. */
  readonly #told = new WeakSet<object>();

  constructor(azure: Pick<Azure, 'report' | 'signal'>) {
    this.#azure = azure;
  }

  /** How many steps are done. */
  get count(): number {
    return this.#done.length;
  }

  /** Notes what has been done, as people read it: `created the rule "defaultSender"`. */
  done(what: string): void {
    this.#done.push(what);
  }

  /**
   * Reports `doing`, acts, and remembers `done`.
   * @throws what `act` throws; as an HcmError of the same code it tells, too, what was done before it.
   */
  run<T>({ doing, done }: Step, act: () => Promise<T>): Promise<T> {
    return this.guard(async () => {
      this.#azure.signal?.throwIfAborted();
      this.#azure.report(doing);
      const result = await act();
      if (done !== undefined) this.done(done);
      return result;
    }, doing);
  }

  /**
   * Acts without being a step: reading and waiting, whose failure leaves what was done all the same. `doing` is said
   * when Ctrl-C comes meanwhile: nobody knows then whether Azure did it.
   */
  async guard<T>(act: () => Promise<T>, doing?: string): Promise<T> {
    // What was aborted before it began has not happened.
    const isUnderWay = doing !== undefined && this.#azure.signal?.aborted !== true;
    try {
      return await act();
    } catch (error) {
      throw this.#withProgress(error, isUnderWay ? doing : undefined);
    }
  }

  #withProgress(error: unknown, doing: string | undefined): unknown {
    if (!(error instanceof HcmError) || this.#told.has(error)) return error;
    const { code, message, retryable, details } = error;
    const cut = code === 'HCM_INTERRUPTED' && doing !== undefined;
    if (!cut && this.#done.length === 0) return error;
    const text = [
      cut ? `Interrupted while ${doing}, which may be done or not.` : message,
      ...(this.#done.length === 0 ? [] : [`Done before that: ${this.#done.join('; ')}.`]),
      GOES_ON,
    ].join(' ');
    const told = new HcmError(code, text, {
      ...{ retryable, details: { ...details, stepsDone: this.#done.length }, cause: error },
    });
    this.#told.add(told);
    return told;
  }
}
