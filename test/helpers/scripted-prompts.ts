/** The wizard's questions, answered by a script: each by its id, with a word of a choice, a text, yes or no. */
import { HcmError } from '../../src/protocol/errors.ts';
import type { Choice, Prompts, Question } from '../../src/lib/cli/setup/prompts.ts';

export type ScriptedAnswer = string | boolean | typeof LEAVE | readonly (string | boolean | typeof LEAVE)[];

/** Ctrl-C at this question. */
export const LEAVE = Symbol('leave');

export class ScriptedPrompts implements Prompts {
  /** The ids of the questions, in the order in which they were asked. */
  readonly asked: string[] = [];
  /** What was wrong with texts that were typed. */
  readonly faults: string[] = [];
  /** What could be chosen, by the id of the question. */
  readonly choices = new Map<string, readonly Choice<unknown>[]>();
  readonly #answers: Map<string, (string | boolean | typeof LEAVE)[]>;

  /** Several answers to one question are given in turn. */
  constructor(script: Readonly<Record<string, ScriptedAnswer>>) {
    this.#answers = new Map(
      Object.entries(script).map(([id, answer]) => [id, typeof answer === 'object' ? [...answer] : [answer]]),
    );
  }

  readonly select: Prompts['select'] = (question) => this.#choose(question, question.choices);
  readonly search: Prompts['search'] = (question) => this.#choose(question, question.choices);

  /** An empty answer takes the proposal. */
  readonly text: Prompts['text'] = async (question) => {
    for (;;) {
      const answer = String(this.#next(question)) || (question.proposal ?? '');
      const fault = await question.check(answer);
      if (fault === undefined) return answer;
      this.faults.push(fault);
    }
  };

  readonly yesNo: Prompts['yesNo'] = (question) =>
    Promise.resolve().then(() => this.#next(question) === true);

  async #choose<T>(question: Question<T>, choices: readonly Choice<T>[]): Promise<T> {
    this.choices.set(question.id, choices);
    const word = await Promise.resolve().then(() => String(this.#next(question)));
    const found = choices.find(({ name, disabled }) => disabled === undefined && name.startsWith(word));
    if (found === undefined)
      throw new Error(`"${word}" is none of ${choices.map(({ name }) => name).join()}`);
    return found.value;
  }

  #next({ id }: Question<unknown>): string | boolean {
    this.asked.push(id);
    const answer = this.#answers.get(id)?.shift();
    if (answer === undefined) throw new Error(`the script has no answer to "${id}"`);
    if (answer === LEAVE) throw new HcmError('HCM_INTERRUPTED', 'Interrupted.');
    return answer;
  }
}
