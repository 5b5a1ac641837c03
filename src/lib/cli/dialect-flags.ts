/** Flags that several commands of the data plane share: the dialect of the streams, and the file that says it all. */
import { option, string } from '@oclif/core/flags';
import { HcmError } from '../../protocol/errors.ts';
import { portNameFault } from '../logical-ports.ts';

export type DialectName = 'raw' | 'azbridge';

export const dialectFlag = option({
  description:
    'How both ends agree on a target: raw (one target, as App Service has it) or azbridge (logical ports). Default: raw.',
  options: ['raw', 'azbridge'] as const,
})();

/** Section `manager:` says what these say, and each entry for itself. */
const SAID_BY_THE_FILE = ['dialect', 'connection-string-file', 'namespace', 'entra'];

/** The flag --file; `others` are more flags that do not go with it. */
export function managerFileFlag(what: string, others: readonly string[]) {
  return string({
    char: 'f',
    description: `Run the ${what} of section manager of this hcm.yaml; "-" is stdin.`,
    helpValue: 'FILE',
    exclusive: [...SAID_BY_THE_FILE, ...others],
  });
}

/** The logical port that `connect` is to reach; undefined with raw. @throws HcmError HCM_USAGE */
export function logicalPortOf(flags: {
  dialect?: DialectName | undefined;
  port?: string | undefined;
}): string | undefined {
  const { dialect, port } = flags;
  const next = 'hcm connect CONNECTION --dialect azbridge --port NAME';
  if (dialect !== 'azbridge') {
    if (port === undefined) return undefined;
    throw usage('--port names a logical port, and the dialect raw has none.', next);
  }
  if (port === undefined)
    throw usage('With --dialect azbridge, --port says which logical port is meant.', next);
  const fault = portNameFault(port);
  if (fault !== undefined) throw usage(`"${port}" cannot be the name of a logical port: ${fault}.`, next);
  return port;
}

function usage(message: string, next: string): HcmError {
  return new HcmError('HCM_USAGE', message, { details: { next } });
}
