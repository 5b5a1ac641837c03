/**
 * The steps of one command: what is done is remembered, so that a command which fails or is interrupted half-way says
 * what exists now. Every such command goes on where it ended when it is typed again.
 */
import { HcmError } from '../../protocol/errors.ts';
import type { Azure } from '../arm/azure.ts';

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
  async run<T>({ doing, done }: { doing: string; done: string }, act: () => Promise<T>): Promise<T> {
    return this.guard(async () => {
      this.#azure.signal?.throwIfAborted();
      this.#azure.report(doing);
      const result = await act();
      this.done(done);
      return result;
    });
  }

  /** Acts without being a step: reading and waiting, whose failure leaves what was done all the same. */
  async guard<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw this.#done.length === 0 ? error : this.#withProgress(error);
    }
  }

  #withProgress(error: unknown): unknown {
    if (!(error instanceof HcmError) || this.#told.has(error)) return error;
    const { code, message, retryable, details } = error;
    const text = `${message} Done before that: ${this.#done.join('; ')}. The same command goes on from there.`;
    const told = new HcmError(code, text, {
      ...{ retryable, details: { ...details, stepsDone: this.#done.length }, cause: error },
    });
    this.#told.add(told);
    return told;
  }
}
