/** The state that a connection reaches soon after it was added, and what is said of it. Never an error: it is added. */
import type { ControlClient } from '../../../manager/control/control-client.ts';
import type { ConnectionView } from '../../../manager/control/operations.ts';
import { sleep, type Clock } from '../../../tunnel/clock.ts';
import type { Output } from '../output.ts';

/** A relay answers within a second or so; whoever waits for a prompt waits no longer than this. */
const REACHED_WITHIN_MS = 3_000;
const LOOK_MS = 100;

/** The newest view, as soon as it is no longer `connecting`, or when the time is up. */
export async function reachedState(
  client: Pick<ControlClient, 'list'>,
  added: ConnectionView,
  clock: Clock,
): Promise<ConnectionView> {
  const endMs = clock.monotonicMs() + REACHED_WITHIN_MS;
  let view = added;
  while (view.state === 'connecting' && clock.monotonicMs() < endMs) {
    await sleep(clock, LOOK_MS);
    const listed = await client.list().catch(() => []);
    const newest = listed.find(({ id }) => id === added.id);
    // Somebody has removed it, or has stopped the manager.
    if (newest === undefined) return view;
    view = newest;
  }
  return view;
}

/**
 * One answer, so that nobody reads "Added" and goes away. `did`: what was done with it; `show`: what to type when there is
 * nothing better to do.
 */
export function sayReached(
  output: Output,
  { state, reason }: ConnectionView,
  { did, show }: { did: string; show: string },
): void {
  if (state === 'online') output.answer(did);
  else if (state === 'connecting') output.answer(`${did}; it is still connecting`);
  else {
    const why = reason === undefined ? '' : `: ${reason.message} (${reason.code})`;
    output.answer(`${did}, but it does not work yet; it is ${state}${why}`);
  }
  // The manager's advice holds for its own cloud, and not for the one of this command.
  if (reason?.next === undefined) output.next(show);
  else output.say(`Next: ${reason.next}`);
}
