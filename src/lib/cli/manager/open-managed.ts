/** How the manager proves who it is, connection by connection: a key that it keeps, what a file says, or its own sign-in. */
import type { ConnectionStore } from '../../../manager/store.ts';
import { keyRemedy } from '../../../manager/key-remedy.ts';
import type { ConnectionSpec } from '../../../manager/tunnel.ts';
import { parseConnectionName } from '../../../protocol/connection-string.ts';
import { HcmError } from '../../../protocol/errors.ts';
import type { Connection } from '../../../tunnel/options.ts';
import type { Cloud } from '../../auth/cloud.ts';
import { loadCloud } from '../../auth/clouds.ts';
import { statePaths } from '../../config/paths.ts';
import type { ConnectionFlags } from '../connection-flags.ts';
import { openEntry } from '../manager-file.ts';
import type { Output } from '../output.ts';

export interface ManagedAccess {
  /** Those of `hcm service run`. */
  flags: ConnectionFlags;
  output: Output;
  store: Pick<ConnectionStore, 'secret'>;
  file: string | undefined;
  env: NodeJS.ProcessEnv;
  /** For tests. */
  open?: typeof openEntry;
}

/** A stored secret counts first; what a file declares says itself who we are. @throws HcmError as `readConnections`. */
export async function openManaged(
  spec: ConnectionSpec,
  { flags, output, store, file = 'hcm.yaml', env, open = openEntry }: ManagedAccess,
): Promise<Connection> {
  const secret = spec.source === 'store' ? await store.secret(spec) : undefined;
  const declared = spec.declared.kind === 'listener' ? spec.declared.listener : spec.declared.forward;
  const entry =
    secret === undefined
      ? declared
      : { ...declared, access: { kind: 'variable', name: 'the store', text: secret } as const };
  const right = spec.role === 'listener' ? 'Listen' : 'Send';
  try {
    return await open(entry, { request: { file, flags, names: [], output }, file, right });
  } catch (error) {
    const isAsking = entry.access.kind === 'azure' || entry.access.kind === 'entra';
    if (isAsking) throw await ofManager(error, { spec, flags, env });
    // A stored one stands in no file in which anybody could look up its place.
    throw spec.source === 'store' && error instanceof HcmError && error.cause instanceof HcmError
      ? error.cause
      : error;
  }
}

/** The relay that a connection without a key leads to. Undefined: the manager's cloud is not known. */
export async function signedInHost(
  connection: string,
  { flags, env }: Pick<ManagedAccess, 'flags' | 'env'>,
): Promise<string | undefined> {
  const [namespace = ''] = parseConnectionName(connection).namespace.toLowerCase().split(':');
  if (namespace.includes('.')) return namespace;
  const cloud = await cloudOf({ flags, env });
  return cloud && `${namespace}.${cloud.relaySuffix}`;
}

function cloudOf({ flags, env }: Pick<ManagedAccess, 'flags' | 'env'>): Promise<Cloud | undefined> {
  const { directory } = statePaths(env);
  return loadCloud({ name: flags.cloud, env, directory }).catch(() => undefined);
}

/** The manager's cloud and sign-in may be others than those of whoever reads this. */
async function ofManager(
  error: unknown,
  { spec, flags, env }: { spec: ConnectionSpec } & Pick<ManagedAccess, 'flags' | 'env'>,
): Promise<unknown> {
  if (!(error instanceof HcmError) || !['HCM_TOKEN_MISSING', 'HCM_SIGN_IN_REQUIRED'].includes(error.code))
    return error;
  const cloud = await cloudOf({ flags, env });
  if (cloud === undefined) return error;
  const message = `${error.message} The manager asks the cloud "${cloud.name}".`;
  const { code, retryable, details } = error;
  const next = keyRemedy(spec, cloud.name);
  return new HcmError(code, message, { retryable, details: { ...details, next }, cause: error });
}
