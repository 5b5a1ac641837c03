/** Whether the manager does what is wanted of it: the rule of `/readyz`. */
import type { ConnectionView } from './control/operations.ts';

/** Registered at the relay, or bound. A target that fails its streams is told elsewhere; others may still work. */
const UP: ReadonlySet<ConnectionView['state']> = new Set(['online', 'degraded']);

export interface Readiness {
  readonly ready: boolean;
  /** Ends; its streams may still go on. */
  readonly stopping?: true;
  /** What is wanted is not known: the file or the store was never read. */
  readonly unread?: true;
  /** Names and codes alone: nobody signs in for this. */
  readonly waitingFor: readonly { readonly id: string; readonly state: string; readonly code?: string }[];
}

export function readinessOf(
  connections: readonly ConnectionView[],
  { stopping, unread }: { stopping: boolean; unread: boolean },
): Readiness {
  const down = connections.filter(({ state }) => !UP.has(state));
  return {
    ready: down.length === 0 && !stopping && !unread,
    ...(stopping ? { stopping } : {}),
    ...(unread ? { unread } : {}),
    waitingFor: down.map(({ id, state, reason }) => ({
      id,
      state,
      ...(reason ? { code: reason.code } : {}),
    })),
  };
}
