/** The questions on a terminal, by keyboard: arrows, typing, Enter. They are talk, so they go to stderr. */
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
  type Library = typeof import('@inquirer/prompts');
  type Context = { output: NodeJS.WritableStream; signal: AbortSignal };
  const put = async <T>(ask: (library: Library, context: Context) => Promise<T>): Promise<T> => {
    const library = await import('@inquirer/prompts');
    output.wipeProgress();
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
  return {
    search: ({ message, choices }) =>
      put((library, context) =>
        library.search(
          {
            ...{ message, pageSize: PAGE_LINES },
            source: (term) => narrow(choices, term).map(toItem),
          },
          context,
        ),
      ),
    select: ({ message, choices }) =>
      put((library, context) =>
        library.select(
          { ...{ message, pageSize: PAGE_LINES, loop: false }, choices: choices.map(toItem) },
          context,
        ),
      ),
    text: ({ message, proposal, check }) =>
      put(async (library, context) => {
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
    yesNo: ({ message, proposal }) =>
      put((library, context) => library.confirm({ message, default: proposal }, context)),
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
