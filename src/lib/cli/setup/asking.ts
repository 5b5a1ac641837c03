/** What the questions of the wizard share: who answers, who looks things up, where talk goes, what flags gave already. */
import { HcmError } from '../../../protocol/errors.ts';
import type { Target } from '../../../protocol/target.ts';
import type { SetupReader } from '../../services/setup/setup-reader.ts';
import type { Output } from '../output.ts';
import type { Prompts } from './prompts.ts';

/** The answers that flags gave. */
export interface GivenAnswers {
  /** Name or resource id; false: go on without an app. */
  app?: string | false | undefined;
  slot?: string | undefined;
  target?: Target | undefined;
  /** Name or host; made when it is not there. */
  namespace?: string | undefined;
  resourceGroup?: string | undefined;
  location?: string | undefined;
  connection?: string | undefined;
  listen?: boolean | undefined;
}

export type Talk = Pick<Output, 'say' | 'warn' | 'progress' | 'wipeProgress' | 'paint'>;

export interface Asking {
  prompts: Prompts;
  reader: SetupReader;
  given: GivenAnswers;
  talk: Talk;
  /** Four letters or digits, for a name that has to be unique. */
  readonly randomEnding: () => string;
}

/** Shows what is being looked for until it is there. */
export async function look<T>({ talk }: Pick<Asking, 'talk'>, what: string, found: Promise<T>): Promise<T> {
  talk.progress(what);
  try {
    return await found;
  } finally {
    talk.wipeProgress();
  }
}

/** What is wrong by an HcmError that `check` throws; for the text below a prompt. */
export function faultOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof HcmError) return error.message;
    throw error;
  }
}
