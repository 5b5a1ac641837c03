/**
 * The argument and the flags that say which hybrid connections a command opens, by which right, and over which way:
 * the same for every command that opens some.
 */
import { string as stringArg } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import { azureFlags, type AzureFlags } from './azure-flags.ts';
import type { ConnectionLookUp, ConnectionRequest } from './connection-input.ts';
import { graceFlags } from './grace-flag.ts';
import { networkFlags } from './network-flags.ts';
import type { Output } from './output.ts';

const CONNECTION_HELP =
  'NAMESPACE/NAME; only NAME with --namespace or a connection string. Without a connection string the key comes from Azure.';

/** For `args`; a command that is about one connection alone takes the first. */
export const connectionArgument = {
  name: 'CONNECTION',
  description: CONNECTION_HELP,
  ignoreStdin: true,
} as const;

export const connectionArg = stringArg(connectionArgument);
export const connectionArgs = stringArg({ ...connectionArgument, multiple: true });

export const connectionFlags = {
  'connection-string-file': string({
    description:
      'File with a connection string; "-" is stdin. Else HCM_CONNECTION_STRING counts. May be repeated.',
    helpValue: 'FILE',
    multiple: true,
    multipleNonGreedy: true,
  }),
  namespace: string({
    description: 'Namespace, or its full host: then CONNECTION is only the name.',
    helpValue: 'NAME',
  }),
  entra: boolean({
    description: 'Show the relay a token of Microsoft Entra ID: no key is used.',
    exclusive: ['connection-string-file'],
  }),
};

/** What `connect` has, and the others too. */
export const streamFlags = {
  ...connectionFlags,
  ...graceFlags,
  ...azureFlags,
  ...networkFlags,
};

/** What `listen` and `forward` share. */
export const tunnelFlags = {
  ...streamFlags,
  'keep-trying': boolean({ description: 'Do not end when the first attempt is refused (401, 403, 404).' }),
};

export interface ConnectionFlags extends AzureFlags {
  'connection-string-file'?: string[] | undefined;
  namespace?: string | undefined;
  entra: boolean;
  'resource-group'?: string | undefined;
}

export function connectionRequest(
  flags: ConnectionFlags,
  rest: Pick<ConnectionRequest, 'names' | 'output' | 'right'> & { stdinTaken?: boolean },
): ConnectionRequest {
  return {
    files: flags['connection-string-file'] ?? [],
    namespace: flags.namespace,
    entra: flags.entra,
    env: process.env,
    lookUp: azureLookUp(flags, rest.output),
    ...rest,
  };
}

/** Loads what speaks with Azure only when it is needed: a connection string needs none of it. */
function azureLookUp(flags: ConnectionFlags, output: Output): ConnectionLookUp {
  const open = async () => (await import('./azure-connections.ts')).openConnectionLookUp({ flags, output });
  return {
    byKey: async (wanted, right) => (await open()).byKey(wanted, right),
    byEntra: async (wanted) => (await open()).byEntra(wanted),
    managedIdentity: async () => (await open()).managedIdentity(),
  };
}
