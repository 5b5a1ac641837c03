/**
 * Does the actions of a plan, one after the other. It ends at the first that fails, or at Ctrl-C, and says then what is
 * done, what is not, and how to go on: each action is whole, or may be repeated.
 */
import { HcmError } from '../../../protocol/errors.ts';
import { describeAction, type Action } from './action.ts';

export interface Execution {
  perform(action: Action): Promise<void>;
  /** Before each action, with its number from 1. */
  onAction?(action: Action, number: number): void;
  signal?: AbortSignal | undefined;
}

/**
 * Resolves when all is done.
 * @throws HcmError of the action that failed, or HCM_INTERRUPTED, its message telling how far it went.
 */
export async function executePlan(actions: readonly Action[], execution: Execution): Promise<void> {
  const { signal } = execution;
  for (const [index, action] of actions.entries()) {
    try {
      signal?.throwIfAborted();
      execution.onAction?.(action, index + 1);
      await execution.perform(action);
    } catch (error) {
      const cut = { done: actions.slice(0, index), action, open: actions.slice(index + 1) };
      throw signal?.aborted ? interrupted(error, cut) : failed(error, cut);
    }
  }
}

/** Where an execution broke off: in the middle of `action`. */
interface Cut {
  readonly done: readonly Action[];
  readonly action: Action;
  readonly open: readonly Action[];
}

/** Longer lists are counted: whoever goes on sees the plan again. */
const LISTED_ACTIONS = 10;

function interrupted(error: unknown, cut: Cut): HcmError {
  // An action may know what goes on in Azure without us.
  const more = error instanceof HcmError ? ` ${error.message}` : '';
  return new HcmError(
    'HCM_INTERRUPTED',
    `Interrupted at: ${describeAction(cut.action)}.${more} ${progress(cut)}`,
    {
      details: { done: cut.done.length, open: cut.open.length + 1 },
      cause: error,
    },
  );
}

/** The action's own code and advice are kept: without the advice the same would happen again. */
function failed(error: unknown, cut: Cut): unknown {
  if (!(error instanceof HcmError)) return error;
  const { code, message, retryable, details } = error;
  return new HcmError(code, `Could not ${describeAction(cut.action)}: ${message} ${progress(cut)}`, {
    retryable,
    details: { ...details, done: cut.done.length, open: cut.open.length + 1 },
    cause: error,
  });
}

function progress({ done, open }: Cut): string {
  return [
    done.length === 0 ? 'Nothing was changed before it.' : `Done before it: ${listed(done)}.`,
    ...(open.length === 0 ? [] : [`Not done: ${listed(open)}.`]),
    'The same command goes on from there.',
  ].join(' ');
}

function listed(actions: readonly Action[]): string {
  const shown = actions.slice(0, LISTED_ACTIONS).map(describeAction);
  const rest = actions.length - shown.length;
  return [...shown, ...(rest > 0 ? [`${rest} more`] : [])].join(', ');
}
