/** A connection that is about to be added, for what is asked about it before. Nothing of it is stored. */
import { parseConnectionString } from '../protocol/connection-string.ts';
import { HcmError } from '../protocol/errors.ts';
import type { Clock } from '../tunnel/clock.ts';
import type { AddRequest } from './control/operations.ts';
import { specsOf } from './specs.ts';
import { checkAdded, readStored } from './stored-declaration.ts';
import type { ConnectionSpec, TargetQuestions } from './tunnel.ts';

/** Whoever asks waits before a form: signing in to Azure may take its time, but not for ever. */
const ANSWER_LIMIT_MS = 25_000;

export interface CandidateUse {
  folder: string;
  clock: Clock;
  /** Absent: nothing can be asked. */
  targets?: TargetQuestions | undefined;
}

/**
 * The target that Azure names for it now.
 * @throws HcmError HCM_TARGET_MISSING when it names none; of bad input, of the relay and of Azure.
 */
export async function namedTarget(request: AddRequest, use: CandidateUse): Promise<string> {
  const spec = await specOf(request, use.folder);
  const asking = new AbortController();
  const late = () =>
    new HcmError('HCM_CONNECT_TIMEOUT', `Azure did not say the target of ${request.connection} in time.`, {
      retryable: true,
    });
  const cancel = use.clock.setTimer(ANSWER_LIMIT_MS, () => asking.abort(late()));
  try {
    const target = await use.targets?.read(spec, asking.signal);
    if (target !== undefined) return target;
  } finally {
    cancel();
  }
  throw new HcmError('HCM_TARGET_MISSING', `Azure names no target for ${request.connection}.`, {
    details: { next: 'Say the target: HOST:PORT' },
  });
}

/** A key that was typed is in the declaration; without one, all is as it will be in the store. */
async function specOf(
  { role, connection, connectionString, entry }: AddRequest,
  folder: string,
): Promise<ConnectionSpec> {
  checkAdded(entry);
  if (connectionString !== undefined) parseConnectionString(connectionString);
  const { listeners } = await readStored({ role, connection, entry }, folder);
  const declared = listeners.map((listener) =>
    connectionString === undefined
      ? listener
      : { ...listener, access: { kind: 'variable', name: 'the form', text: connectionString } as const },
  );
  const source = connectionString === undefined ? 'store' : 'file';
  const [spec] = specsOf([{ source, manager: { listeners: declared, forwards: [] } }]);
  if (spec) return spec;
  throw new HcmError('HCM_USAGE', `${connection} is to be a forward, which has no target.`);
}
