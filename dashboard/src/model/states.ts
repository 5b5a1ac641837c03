/** The states of a connection in words, and what has changed as one sentence for those who listen to the page. */
import type { ConnectionView } from '../../../src/manager/control/operations.ts';

export type State = ConnectionView['state'];

interface StateWords {
  readonly label: string;
  readonly hint: string;
}

export const STATES: Readonly<Record<State, StateWords>> = {
  online: { label: 'Online', hint: 'Registered at the relay, or bound; the last stream found its way.' },
  degraded: { label: 'Degraded', hint: 'Up, but something keeps traffic from its target.' },
  connecting: { label: 'Connecting', hint: 'On the way, for the first time or again.' },
  waiting: { label: 'Waiting', hint: 'It could not be had; the next attempt has a time.' },
  'target-down': { label: 'Target down', hint: 'Not registered on purpose: its target does not answer.' },
  failed: { label: 'Failed', hint: 'Over, and it is not tried again.' },
  stopped: { label: 'Stopped', hint: 'Removed, or the manager ends.' },
};

export type Filter = 'all' | 'online' | 'trouble';

/** Trouble is whatever is not online and not just on its way. */
export function isTrouble(state: State): boolean {
  return state !== 'online' && state !== 'connecting';
}

export interface Counts {
  readonly all: number;
  readonly online: number;
  readonly trouble: number;
}

export function countsOf(states: readonly State[]): Counts {
  return {
    all: states.length,
    online: states.filter((state) => state === 'online').length,
    trouble: states.filter(isTrouble).length,
  };
}

export function passes(view: ConnectionView, filter: Filter, text: string): boolean {
  if (filter === 'online' && view.state !== 'online') return false;
  if (filter === 'trouble' && !isTrouble(view.state)) return false;
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return true;
  return [
    view.connection,
    view.role,
    view.target ?? '',
    ...view.binds,
    view.state,
    view.reason?.code ?? '',
  ].some((part) => part.toLowerCase().includes(wanted));
}

/** So many changes are told by name; more are counted. */
const NAMED_MAX = 3;

/** `my-relay/db is online. my-relay/web is waiting.`, or `12 connections changed: 10 online, 2 waiting.` */
export function sentenceOf(changes: ReadonlyMap<string, { connection: string; state: State }>): string {
  const all = [...changes.values()];
  const inWords = (state: State) => STATES[state].label.toLowerCase();
  if (all.length <= NAMED_MAX)
    return all.map(({ connection, state }) => `${connection} is ${inWords(state)}.`).join(' ');
  const counts = new Map<State, number>();
  for (const { state } of all) counts.set(state, (counts.get(state) ?? 0) + 1);
  const parts = [...counts].map(([state, count]) => `${count} ${inWords(state)}`);
  return `${all.length} connections changed: ${parts.join(', ')}.`;
}
