/** The address that a listener is handed: the sender's path and query, and a secret that is good once. */
import { urlHost } from '../../protocol/relay-hosts.ts';
import type { RelayRequestTarget } from '../../protocol/request-target.ts';
import type { Behaviour } from '../options.ts';
import type { AskedHost } from './handshake.ts';

/** `asked`: the relay as the listener that gets the address reaches it. */
export function rendezvousAddress(
  scheme: Behaviour['addressScheme'],
  asked: AskedHost,
  { rawPath, userQuery }: RelayRequestTarget,
  action: 'accept' | 'request',
  secretId: string,
): string {
  const query = userQuery === '' ? '' : `${userQuery}&`;
  const own = `sb-hc-action=${action}&sb-hc-id=${encodeURIComponent(secretId)}`;
  return `${scheme}://${urlHost(asked.host)}:${asked.port}/$hc${rawPath}?${query}${own}`;
}
