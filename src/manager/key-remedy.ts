/** What to do about a connection for which the manager has no key: advice for a manager, which is nobody's terminal. */
import type { ConnectionSpec } from './tunnel.ts';

/** `cloud`: the one that the manager asks. */
export function keyRemedy({ connection, source }: ConnectionSpec, cloud?: string): string {
  const key =
    source === 'file'
      ? 'Write connectionStringFile: FILE into its entry of hcm.yaml'
      : `hcm add ${connection} … --connection-string-file FILE`;
  const login = cloud === undefined ? 'hcm login' : `hcm login --cloud ${cloud}`;
  return `${key}; or sign in as the manager's user: ${login}, then hcm restart ${connection}`;
}
