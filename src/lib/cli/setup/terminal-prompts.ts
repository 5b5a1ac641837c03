/** The questions on a terminal, by keyboard: arrows, typing, Enter. They are talk, so they go to stderr. */
import type * as Inquirer from '@inquirer/prompts';
import type { Key } from 'node:readline';
import { HcmError } from '../../../protocol/errors.ts';
import type { Output } from '../output.ts';
import { narrow, type Choice, type Prompts } from './prompts.ts';

const PAGE_LINES = 10;

export interface TerminalPromptOptions {
  output: Output;
  /** Takes the question back (SIGTERM; Ctrl-C is a key while something is asked). */
  signal: AbortSignal;
}

export function terminalPrompts({ output, signal }: TerminalPromptOptions): Prompts {
  const { bold, dim } = output.paint;
  type Library = typeof Inquirer;
  type Context = { output: NodeJS.WritableStream; signal: AbortSignal };
  const put = async <T>(
    hint: string | undefined,
    ask: (library: Library, context: Context) => Promise<T>,
  ): Promise<T> => {
    const library = await import('@inquirer/prompts');
    output.wipeProgress();
    for (const line of hint?.split('\n') ?? []) output.say(dim(`  ${line}`));
    const leave = new AbortController();
    const onKey = (_: string, key: Key) => {
      // The end of the input, which no prompt would notice.
      if (key.ctrl === true && key.name === 'd') leave.abort();
    };
    process.stdin.on('keypress', onKey);
    try {
      return await ask(library, {
        output: process.stderr,
        signal: AbortSignal.any([signal, leave.signal]),
      });
    } catch (error) {
      throw toLeft(error, signal);
    } finally {
      process.stdin.off('keypress', onKey);
    }
  };
  const tipOf = (keys: readonly (readonly string[])[]) =>
    keys.map(([key = '', does = '']) => `${bold(key)} ${dim(does)}`).join(dim(' · '));
  const theme = (...more: readonly (readonly string[])[]) => ({
    style: { keysHelpTip: () => tipOf([...more, ['↑↓', 'move'], ['Enter', 'choose'], ['Ctrl-C', 'leave']]) },
  });
  return {
    search: ({ message, hint, choices }) =>
      put(hint, (library, context) =>
        library.search(
          {
            ...{ message, pageSize: PAGE_LINES, theme: theme(['type', 'filter']) },
            source: (term) => narrow(choices, term).map(toItem),
          },
          context,
        ),
      ),
    select: ({ message, hint, choices }) =>
      put(hint, (library, context) =>
        library.select(
          { ...{ message, pageSize: PAGE_LINES, loop: false, theme: theme() }, choices: choices.map(toItem) },
          context,
        ),
      ),
    text: ({ message, hint, proposal, check }) =>
      put(hint, async (library, context) => {
        const answer = await library.input(
          {
            message,
            ...(proposal === undefined ? {} : { default: proposal }),
            validate: async (text) => (await check(text.trim())) ?? true,
          },
          context,
        );
        return answer.trim();
      }),
    yesNo: ({ message, hint, proposal }) =>
      put(hint, (library, context) => library.confirm({ message, default: proposal }, context)),
  };
}

function toItem<T>({ disabled, ...choice }: Choice<T>) {
  return { ...choice, disabled: disabled === undefined ? false : `(${disabled})` };
}

/** Ctrl-C, Ctrl-D and signals as one error. */
function toLeft(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof Error && /^(?:ExitPromptError|AbortPromptError)$/.test(error.name)) {
    return new HcmError('HCM_INTERRUPTED', 'Interrupted.', { cause: error });
  }
  return error;
}
