/** `hcm add`: from what was typed to what the manager stores. The target that Azure names now is the confirmed one. */
import { parseAllowRule } from '../../../protocol/allow-list.ts';
import {
  parseConnectionName,
  parseConnectionString,
  resolveConnection,
} from '../../../protocol/connection-string.ts';
import { HcmError } from '../../../protocol/errors.ts';
import { isLoopbackName } from '../../../protocol/relay-hosts.ts';
import { parseTargetAddress } from '../../../protocol/target-address.ts';
import { formatTarget, parseBind } from '../../../protocol/target.ts';
import { targetFromUserMetadata } from '../../../protocol/user-metadata.ts';
import type { ControlClient } from '../../../manager/control/control-client.ts';
import type { Added, AddRequest } from '../../../manager/control/operations.ts';
import { systemClock } from '../../../tunnel/clock.ts';
import { readEntity } from '../../../tunnel/entity-reader.ts';
import type { TunnelOptions } from '../../../tunnel/options.ts';
import { RelayDialer } from '../../../tunnel/relay-dialer.ts';
import { connectionRequest, type ConnectionFlags } from '../connection-flags.ts';
import { readConnections } from '../connection-input.ts';
import { readSecretFile, readStdin } from '../input-file.ts';
import type { Output } from '../output.ts';
import { parseDuration } from '../durations.ts';
import { managedName } from './manager-flags.ts';

export interface AddFlags extends Omit<ConnectionFlags, 'connection-string-file'> {
  'connection-string-file'?: string | undefined;
  name?: string | undefined;
  target?: string | undefined;
  bind?: string | undefined;
  http?: boolean | undefined;
  allow?: readonly string[] | undefined;
  'max-streams'?: number | undefined;
  /** As typed: it is stored so. */
  'idle-timeout'?: string | undefined;
  'health-check'?: string | undefined;
}

export interface AddRun {
  client: ControlClient;
  /** NAMESPACE/NAME, or a connection string as Microsoft's `hcm add` takes it. */
  argument: string | undefined;
  flags: AddFlags;
  /** Names of the flags that were typed, and came from no variable. */
  typed?: readonly string[] | undefined;
  network: TunnelOptions;
  output: Output;
  env?: NodeJS.ProcessEnv;
}

/** Flags that only Azure is asked with, and flags of the way to Azure and to the relay. */
const ASK_AZURE: readonly string[] = ['cloud', 'tenant', 'auth'];
const ON_THE_WAY: readonly string[] = ['proxy', 'proxy-password-file', 'ca-file', 'connect-timeout'];

/** @throws HcmError of bad input, of the relay where it is asked for the target, and of the manager. */
export async function addConnection(run: AddRun): Promise<Added> {
  const { client, flags, output, env = process.env } = run;
  const { connectionString, name } = await readInput(run, env);
  const role = flags.bind === undefined && !flags.http ? 'listener' : 'forward';
  const request: AddRequest = { ...nameAndSecret(connectionString, name), role, entry: entryOf(flags, role) };
  // A manager that does not run should be told before anybody is asked for anything.
  await client.describe();
  const isAsked = role === 'listener' && flags.target === undefined;
  tellUnused(run, { isAsked, hasKey: connectionString !== undefined });
  if (!isAsked) return client.add(request);
  const pinnedTarget = await confirmTarget(run, request);
  output.say(`Azure names the target ${pinnedTarget}; a later change there has to be confirmed`);
  return client.add({ ...request, pinnedTarget });
}

/** Whoever types such a flag may believe that the manager will go by it. */
function tellUnused({ typed = [], output }: AddRun, use: { isAsked: boolean; hasKey: boolean }): void {
  const unused = [...(use.isAsked && !use.hasKey ? [] : ASK_AZURE), ...(use.isAsked ? [] : ON_THE_WAY)];
  const names = unused.filter((name) => typed.includes(name)).map((name) => `--${name}`);
  if (names.length === 0) return;
  output.warn(
    `${names.join(', ')}: not needed here, and nothing for the manager, which goes by hcm service run`,
  );
}

/** Microsoft's own `hcm add` takes the connection string as its argument; whoever does that is told what it means. */
async function readInput(
  { argument, flags, output }: AddRun,
  env: NodeJS.ProcessEnv,
): Promise<{ connectionString: string | undefined; name: string | undefined }> {
  const isString = argument !== undefined && /endpoint=/i.test(argument);
  const name = nameOf(isString || argument === '-' ? undefined : argument, flags);
  const file = flags['connection-string-file'];
  if (isString) {
    output.warn(
      'a connection string on the command line is seen by all users of this machine; use a file or stdin',
    );
    return { connectionString: argument, name };
  }
  if (file === '-' || argument === '-')
    return {
      connectionString: await readStdin({
        what: 'connection string',
        instead: '--connection-string-file FILE',
      }),
      name,
    };
  if (file !== undefined) return { connectionString: await readSecretFile(file, output), name };
  return { connectionString: flags.entra ? undefined : env['HCM_CONNECTION_STRING'], name };
}

/** Half a name is enough where a connection string has the other half. */
function nameOf(typed: string | undefined, flags: AddFlags): string | undefined {
  const isHalf = flags.namespace === undefined || flags.name === undefined;
  return typed === undefined && isHalf ? flags.name : managedName(typed, flags);
}

function nameAndSecret(
  connectionString: string | undefined,
  name: string | undefined,
): Pick<AddRequest, 'connection' | 'connectionString'> {
  if (connectionString !== undefined) {
    const parsed = parseConnectionString(connectionString);
    const { host } = parsed.endpoint;
    // The first segment of what was typed is the namespace, or belongs to the name.
    const isWhole = name !== undefined && name.toLowerCase() === parsed.entityPath?.toLowerCase();
    const typed = isWhole ? undefined : /^([^/]+?)(?::\d+)?\//.exec(name ?? '')?.[1]?.toLowerCase();
    if (typed !== undefined) checkNamespace(typed, host);
    const entity = isWhole ? name : name?.replace(/^[^/]*\/(?=.)/, '');
    const { path } = resolveConnection({ connectionString: parsed, name: entity });
    return { connection: `${namespaceOf(host, typed)}/${path}`, connectionString: connectionString.trim() };
  }
  if (name !== undefined) {
    parseConnectionName(name);
    return { connection: name };
  }
  throw new HcmError('HCM_USAGE', 'No connection is named.', {
    details: { next: 'Give NAMESPACE/NAME, or a connection string in --connection-string-file FILE' },
  });
}

/** What commands call it from then on: whoever names the whole host has the same namespace in another cloud, too. */
function namespaceOf(host: string, typed: string | undefined): string | undefined {
  if (isLoopbackName(host)) return typed ?? host;
  return typed === host ? host : host.split('.')[0];
}

/** An emulator answers for any namespace. @throws HcmError HCM_CONNECTION_INVALID. */
function checkNamespace(typed: string, host: string): void {
  if (isLoopbackName(host) || typed === host || typed === host.split('.')[0]) return;
  const text = `The connection string is for ${host}, but the namespace "${typed}" was asked for.`;
  throw new HcmError('HCM_CONNECTION_INVALID', text, {
    details: {
      reason: 'namespace-disagrees',
      next: `Write the namespace of the connection string: ${host.split('.')[0]}/NAME`,
    },
  });
}

/** Keys of an entry of section `manager:`, read once here, so that the flag is to blame and no key of a file. */
function entryOf(flags: AddFlags, role: AddRequest['role']): Record<string, unknown> {
  const { target, bind, http, allow, entra } = flags;
  const maxStreams = flags['max-streams'];
  const idleTimeout = flags['idle-timeout'];
  const check = flags['health-check'];
  const unfit = role === 'forward' ? { target, allow, maxStreams, 'health check': check } : {};
  const [wrong] = Object.entries(unfit).find(([, value]) => value !== undefined) ?? [];
  if (wrong !== undefined) {
    throw new HcmError('HCM_USAGE', `A forward has a local port, and no ${wrong}.`, {
      details: { next: 'Leave out --bind and --http for a listener' },
    });
  }
  if (target !== undefined) parseTargetAddress(target);
  if (bind !== undefined) parseBind(bind);
  if (idleTimeout !== undefined) parseDuration(idleTimeout);
  for (const rule of allow ?? []) parseAllowRule(rule);
  const healthCheck = check === undefined ? undefined : healthCheckOf(check);
  const entry = {
    target,
    bind,
    http: http || undefined,
    allow,
    maxStreams,
    idleTimeout,
    entra: entra || undefined,
    healthCheck,
  };
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}

/** As the key `healthCheck` has it. */
function healthCheckOf(text: string): string | object {
  if (text === 'tcp' || text === 'http') return text;
  if (text.startsWith('http:/')) return { http: text.slice('http:'.length) };
  throw new HcmError('HCM_USAGE', `The health check "${text}" is none of tcp, http and http:/PATH.`, {
    details: { next: 'Write it so: --health-check http:/health' },
  });
}

/** The target that Azure names. @throws HcmError HCM_TARGET_MISSING, and what the relay says. */
async function confirmTarget({ flags, network, output }: AddRun, request: AddRequest): Promise<string> {
  const { connection: name, connectionString } = request;
  const [namespace = '', ...rest] = name.split('/');
  const plain = { ...flags, 'connection-string-file': undefined, namespace };
  const [connection] = await readConnections({
    ...connectionRequest(plain, { names: [rest.join('/')], output, right: 'Listen' }),
    env: connectionString === undefined ? {} : { HCM_CONNECTION_STRING: connectionString },
  });
  const { tokens } = connection ?? {};
  if (connection === undefined || tokens === undefined)
    throw new HcmError('HCM_TOKEN_MISSING', `There is no key for ${name}.`);
  const dialer = new RelayDialer(network, systemClock);
  const { userMetadata } = await readEntity({ ...connection, tokens }, { dialer, clock: systemClock });
  const target = targetFromUserMetadata(userMetadata);
  if (target) return formatTarget(target);
  throw new HcmError('HCM_TARGET_MISSING', `${name} names no target in its metadata.`);
}
