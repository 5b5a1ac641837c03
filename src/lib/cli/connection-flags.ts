/** The flags and the argument that name hybrid connections, the same for every command that opens one. */
import { string } from '@oclif/core/flags';
import type { ConnectionRequest } from './connection-input.ts';

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
};

export const CONNECTION_HELP = 'NAMESPACE/NAME; only NAME with --namespace or a connection string.';

export function connectionRequest(
  flags: { 'connection-string-file'?: string[] | undefined; namespace?: string | undefined },
  rest: Pick<ConnectionRequest, 'names' | 'output'> & { stdinTaken?: boolean },
): ConnectionRequest {
  return {
    files: flags['connection-string-file'] ?? [],
    namespace: flags.namespace,
    env: process.env,
    ...rest,
  };
}
