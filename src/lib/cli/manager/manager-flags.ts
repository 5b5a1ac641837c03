/** Which connection of the manager a command is about: by its name, or as Microsoft's own `hcm` takes it apart. */
import { string as stringArg } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { HcmError } from '../../../protocol/errors.ts';
import { ControlClient } from '../../../manager/control/control-client.ts';
import type { ConnectionView } from '../../../manager/control/operations.ts';
import { askedSocket } from './manager-place.ts';

export const managedArg = stringArg({
  name: 'CONNECTION',
  description: 'NAMESPACE/NAME, as hcm list shows it.',
  ignoreStdin: true,
});

export const managedFlags = {
  namespace: string({
    description: 'Namespace (-ns); then --name says which connection.',
    helpValue: 'NAME',
  }),
  name: string({ char: 'n', description: 'Name of the connection, with --namespace.', helpValue: 'NAME' }),
  // Microsoft's scripts name them; here the namespace and the name are enough.
  subscription: string({ hidden: true }),
  'resource-group': string({ char: 'g', hidden: true }),
  role: string({
    description: 'Which one, when the manager both listens on it and forwards to it.',
    options: ['listener', 'forward'],
  }),
};

export interface ManagedFlags {
  namespace?: string | undefined;
  name?: string | undefined;
  role?: string | undefined;
}

/** The manager that commands ask. */
export function managerClient(env: NodeJS.ProcessEnv = process.env): ControlClient {
  return new ControlClient(askedSocket(env));
}

/** NAMESPACE/NAME of the argument or the flags. @throws HcmError HCM_USAGE. */
export function managedName(arg: string | undefined, { namespace, name }: ManagedFlags): string {
  if (arg !== undefined && namespace === undefined && name === undefined) return arg;
  if (namespace !== undefined && name !== undefined && arg === undefined) return `${namespace}/${name}`;
  if (namespace !== undefined && name === undefined && arg !== undefined) return `${namespace}/${arg}`;
  throw new HcmError('HCM_USAGE', 'Which connection is meant is not clear.', {
    details: { next: 'Write NAMESPACE/NAME, or --namespace NAMESPACE --name NAME' },
  });
}

/**
 * The one connection of this name. `preferred`: of which role, when both have it.
 * @throws HcmError HCM_RESOURCE_NOT_FOUND, HCM_RESOURCE_AMBIGUOUS, HCM_NOT_RUNNING.
 */
export async function findManaged(
  client: ControlClient,
  name: string,
  { role, preferred }: { role?: string | undefined; preferred?: ConnectionView['role'] | undefined } = {},
): Promise<ConnectionView> {
  const named = (await client.list()).filter(
    (one) => one.connection.toLowerCase() === name.toLowerCase() && (role === undefined || one.role === role),
  );
  const meant = named.filter((one) => one.role === preferred);
  const found = meant.length > 0 ? meant : named;
  const [first, second] = found;
  if (first === undefined) {
    throw new HcmError('HCM_RESOURCE_NOT_FOUND', `The manager has no connection "${name}".`, {
      details: { next: 'hcm list' },
    });
  }
  if (second !== undefined) {
    throw new HcmError('HCM_RESOURCE_AMBIGUOUS', `The manager has ${found.length} connections "${name}".`, {
      details: { next: 'Add --role listener or --role forward' },
    });
  }
  return first;
}
