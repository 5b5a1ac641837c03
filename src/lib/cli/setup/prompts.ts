/**
 * How the wizard asks: four kinds of questions behind one interface, so that a terminal, a script of a test, or nobody
 * can answer. Each question knows the flag that answers it, and what is taken where nobody is asked.
 */
import { HcmError } from '../../../protocol/errors.ts';

export interface Choice<T> {
  readonly name: string;
  readonly value: T;
  /** Shown below the list while the choice is marked. */
  readonly description?: string;
  /** What stands behind the question once it is answered. */
  readonly short?: string;
  /** Why it cannot be chosen. */
  readonly disabled?: string;
}

export interface Question<T> {
  /** For scripts of tests: each is asked once. */
  readonly id: string;
  readonly message: string;
  /** What helps to answer, in lines; only whoever is asked sees it. */
  readonly hint?: string;
  /** The flag that answers it, as one types it: `--target HOST:PORT`. */
  readonly flag: string;
  /** The answer where nobody is asked; without it, somebody must answer. */
  readonly unasked?: T | undefined;
}

export interface ChoiceQuestion<T> extends Question<T> {
  /** Not empty; the first that is not disabled is marked. */
  readonly choices: readonly Choice<T>[];
}

export interface TextQuestion extends Question<string> {
  /** Taken with Enter alone. */
  readonly proposal?: string;
  /** What is wrong with the answer; undefined when it will do. */
  readonly check: (text: string) => Promise<string | undefined>;
}

export interface YesNoQuestion extends Question<boolean> {
  readonly proposal: boolean;
}

/** Each rejects with HCM_INTERRUPTED when whoever is asked leaves. */
export interface Prompts {
  /** A list that typing narrows down. */
  search<T>(question: ChoiceQuestion<T>): Promise<T>;
  select<T>(question: ChoiceQuestion<T>): Promise<T>;
  text(question: TextQuestion): Promise<string>;
  yesNo(question: YesNoQuestion): Promise<boolean>;
}

/** Nobody is there: what has an answer anyway is taken, the rest rejects with HCM_INPUT_NEEDED and names the flag. */
export const nobodyToAsk: Prompts = {
  search: unasked,
  select: unasked,
  text: unasked,
  yesNo: unasked,
};

/** `--yes`: only what has no answer yet is asked. */
export function takingProposals(prompts: Prompts): Prompts {
  return {
    search: async (question) => question.unasked ?? prompts.search(question),
    select: async (question) => question.unasked ?? prompts.select(question),
    text: async (question) => question.unasked ?? prompts.text(question),
    yesNo: async (question) => question.unasked ?? prompts.yesNo(question),
  };
}

function unasked<T>({ unasked: answer, message, flag }: Question<T>): Promise<T> {
  if (answer !== undefined) return Promise.resolve(answer);
  return Promise.reject(
    new HcmError('HCM_INPUT_NEEDED', `Nobody can be asked, and this needs an answer: ${message}`, {
      details: { next: `Add ${flag}` },
    }),
  );
}

/** The choices that hold every word of `term`, in their name or description; those that begin with it come first. */
export function narrow<T>(choices: readonly Choice<T>[], term: string | undefined): readonly Choice<T>[] {
  const wanted = (term ?? '').trim().toLowerCase();
  const words = wanted.split(/\s+/).filter(Boolean);
  const rank = ({ name }: Choice<T>) => (name.toLowerCase().startsWith(wanted) ? 0 : 1);
  return choices
    .filter(({ name, description = '' }) => {
      const text = `${name} ${description}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .sort((one, other) => rank(one) - rank(other));
}
