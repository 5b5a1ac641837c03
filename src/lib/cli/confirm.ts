/** The question before something is destroyed: asked on a terminal, answered by --yes, refused anywhere else. */
import { boolean } from '@oclif/core/flags';
import { HcmError } from '../../protocol/errors.ts';
import type { Output } from './output.ts';
import { isInteractive } from './terminal.ts';

export const yesFlag = boolean({ char: 'y', description: 'Do not ask.' });

export interface ConfirmOptions {
  yes: boolean;
  json: boolean;
  noInput: boolean;
  output: Output;
  /** Takes the question back, as a no. */
  signal?: AbortSignal | undefined;
  /** Puts the question; for tests. */
  ask?: (question: string, signal: AbortSignal | undefined) => Promise<boolean>;
  interactive?: boolean;
}

/** The options that a command's flags give. */
export function confirmation(
  flags: { yes: boolean; json: boolean; 'no-input': boolean },
  output: Output,
): ConfirmOptions {
  return { yes: flags.yes, json: flags.json, noInput: flags['no-input'], output };
}

/**
 * Resolves when the answer is yes.
 * @throws HcmError HCM_CONFIRMATION_NEEDED when nobody can be asked; HCM_INTERRUPTED when the answer is no, or Ctrl-C.
 */
export async function confirm(question: string, options: ConfirmOptions): Promise<void> {
  const { yes, output, ask = askOnTerminal } = options;
  if (yes) return;
  if (!(options.interactive ?? isInteractive(options))) {
    throw new HcmError('HCM_CONFIRMATION_NEEDED', `This needs a yes: ${question}`);
  }
  output.wipeProgress();
  if (await ask(question, options.signal)) return;
  throw new HcmError('HCM_INTERRUPTED', 'You did not say yes, so nothing was changed.', {
    details: { next: 'Answer y, or add --yes' },
  });
}

/** Ctrl-C is a no: the terminal is in raw mode meanwhile, so no signal comes. */
async function askOnTerminal(question: string, signal: AbortSignal | undefined): Promise<boolean> {
  const prompts = await import('@inquirer/prompts');
  try {
    return await prompts.confirm(
      { message: question, default: false },
      { output: process.stderr, ...(signal === undefined ? {} : { signal }) },
    );
  } catch (error) {
    if (error instanceof Error && /^(?:ExitPromptError|AbortPromptError)$/.test(error.name)) return false;
    throw error;
  }
}
