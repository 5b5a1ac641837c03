/** What most tests of the tunnel need: a connection to a relay on loopback, and a record of its events. */
import assert from 'node:assert/strict';
import { HcmError, type ErrorCode } from '../../src/protocol/errors.ts';
import type { Clock } from '../../src/tunnel/clock.ts';
import type { TunnelEvent } from '../../src/tunnel/events.ts';
import type { Connection } from '../../src/tunnel/options.ts';
import { sasKeyTokens, type TokenProvider } from '../../src/tunnel/token-provider.ts';

/** A name with a slash, as real entities have. */
export const ENTITY = 'team/hyco-1';

export type ListenerConnection = Connection & { tokens: TokenProvider };

/** With a key of its own: a fake relay checks none. */
export function connectionTo(endpoint: Connection['endpoint'], clock: Clock): ListenerConnection {
  return { endpoint, path: ENTITY, tokens: sasKeyTokens({ keyName: 'rule', key: 'secret' }, clock) };
}

/** Takes part in the events of a tunnel; `of` gives those of one kind. */
export class EventLog {
  readonly all: TunnelEvent[] = [];
  readonly record = (event: TunnelEvent): void => void this.all.push(event);

  of<Name extends TunnelEvent['event']>(name: Name): Extract<TunnelEvent, { event: Name }>[] {
    return this.all.filter((event): event is Extract<TunnelEvent, { event: Name }> => event.event === name);
  }
}

/** Resolves with the HcmError that the promise rejects with, after comparing its code. */
export async function rejectsWith(promise: Promise<unknown>, code: ErrorCode): Promise<HcmError> {
  const error: unknown = await promise.then(
    () => assert.fail(`expected ${code}, and nothing failed`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HcmError, `expected ${code}, got ${String(error)}`);
  assert.equal(error.code, code, error.message);
  return error;
}
