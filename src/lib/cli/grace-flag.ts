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
  if (openStreams === 0) return;
  const streams = `${openStreams} open stream${openStreams === 1 ? '' : 's'}`;
  events.say(
    `Stopping: ${streams} may take up to ${formatDuration(graceMs)} to finish. Ctrl-C again stops now.`,
  );
}
