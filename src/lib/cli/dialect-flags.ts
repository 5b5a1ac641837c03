/** Flags that several commands of the data plane share: the dialect of the streams, and the file that says it all. */
import { option, string } from '@oclif/core/flags';

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
