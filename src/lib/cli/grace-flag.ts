/** The flag about stopping in peace, and what is said while it happens. */
import type { EventPresenter } from './event-presenter.ts';
import { formatDuration } from './durations.ts';
import { duration } from './network-flags.ts';

const GRACE_MS = 10_000;

export const graceFlags = {
  'grace-period': duration({
    description: 'After the first Ctrl-C, let open streams finish for so long.',
    default: GRACE_MS,
    defaultHelp: () => Promise.resolve(formatDuration(GRACE_MS)),
  }),
};

export function sayStopping(events: EventPresenter, openStreams: number, graceMs: number): void {
  sayDraining(events, { what: 'Stopping', openStreams, graceMs, stopNow: 'Ctrl-C again' });
}

/** After `-- COMMAND`, one Ctrl-C is enough: its end was the first half of the stop. */
export function sayCommandEnded(events: EventPresenter, openStreams: number, graceMs: number): void {
  sayDraining(events, { what: 'The command has ended', openStreams, graceMs, stopNow: 'Ctrl-C' });
}

function sayDraining(events: EventPresenter, { what, openStreams, graceMs, stopNow }: Draining): void {
  if (openStreams === 0 || graceMs === 0) return;
  const streams = `${openStreams} open stream${openStreams === 1 ? '' : 's'}`;
  events.say(
    `${what}: ${streams} may take up to ${formatDuration(graceMs)} to finish. ${stopNow} stops now.`,
  );
}

interface Draining {
  what: string;
  openStreams: number;
  graceMs: number;
  stopNow: string;
}
