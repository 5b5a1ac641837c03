/** Why a proxy is used for a host, or why none is: the one thing that people cannot see from outside. */
import { isLoopbackName } from '../../../protocol/relay-hosts.ts';
import type { Proxy } from '../../../tunnel/options.ts';
import type { ProxySetting } from './scene.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** In the order in which they are asked. */
const VARIABLES = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'] as const;

export function proxyReason(
  host: string,
  proxy: Proxy | undefined,
  { source }: ProxySetting,
  env: Environment,
): string {
  if (isLoopbackName(host)) return 'loopback never goes through a proxy';
  if (source !== undefined) return proxy === undefined ? `${source} says off` : `${source} names it`;
  const variable = VARIABLES.find((name) => env[name]);
  if (proxy !== undefined) return `${variable ?? 'the environment'} names it`;
  if (variable === undefined) return 'neither --proxy nor HTTPS_PROXY nor ALL_PROXY is set';
  return `NO_PROXY takes ${host} out of ${variable}`;
}

/** `http://proxy.corp:3128`, without user and password. */
export function proxyName({ kind, host, port }: Proxy): string {
  return `${kind}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
