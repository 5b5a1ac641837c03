/** Where `listen` is asked to lead: --target once, or logical ports with --dialect azbridge, and how HTTP is passed on. */
import { parseAllowRule } from '../../protocol/allow-list.ts';
import { HcmError } from '../../protocol/errors.ts';
import { parseTargetAddress, type TargetAddress } from '../../protocol/target-address.ts';
import type { ListenerOptions } from '../../tunnel/options.ts';
import type { ListenerTargets } from '../config/hcm-yaml/manager-declaration.ts';
import { hostHeaderFault } from '../host-header.ts';
import { declaredListenerOptions, targetOptions } from '../services/declared-listener.ts';
import { httpPortNames, namedTargetFault, ownPortName, splitNamed } from '../logical-ports.ts';
import { connectionRequest, type ConnectionFlags } from './connection-flags.ts';
import { readConnections } from './connection-input.ts';
import type { DialectName } from './dialect-flags.ts';
import type { ManagerFileRequest } from './manager-file.ts';
import type { Output } from './output.ts';
import type { WantedListener } from './run-listeners.ts';

export interface ListenFlags extends ConnectionFlags, ListenTargetFlags {
  allow?: readonly string[] | undefined;
  'max-streams'?: number | undefined;
  'dial-timeout'?: number | undefined;
  'proxy-protocol'?: 'v2' | undefined;
}

export interface ListenTargetFlags {
  target?: readonly string[] | undefined;
  dialect?: DialectName | undefined;
  'keep-path'?: boolean | undefined;
  'host-header'?: string | undefined;
}

const EXAMPLE =
  'hcm listen CONNECTION --dialect azbridge --target db=db.corp.local:5432 --target udp:10.0.0.2:53';

/** @throws HcmError HCM_TARGET_INVALID; HCM_USAGE for what does not go together. */
export function readListenTargets(flags: ListenTargetFlags): ListenerTargets {
  const texts = flags.target ?? [];
  const targets: ListenerTargets =
    flags.dialect === 'azbridge'
      ? { dialect: 'azbridge', ports: readPorts(texts) }
      : { dialect: 'raw', ...readOne(texts) };
  checkHttpFlags(flags, targets);
  return targets;
}

/** @throws HcmError as `readListenTargets` and `readConnections`; HCM_ALLOW_INVALID. */
export async function readListeners(
  request: { flags: ListenFlags; names: readonly string[]; output: Output },
  shared: ListenerOptions,
): Promise<WantedListener[]> {
  const { flags, names, output } = request;
  const options: ListenerOptions = {
    ...shared,
    ...targetOptions(readListenTargets(flags)),
    allow: flags.allow?.map(parseAllowRule),
    maxStreams: flags['max-streams'],
    dialTimeoutMs: flags['dial-timeout'],
    keepPath: flags['keep-path'],
    hostHeader: flags['host-header'],
    proxyProtocol: flags['proxy-protocol'],
  };
  const connections = await readConnections(connectionRequest(flags, { names, output, right: 'Listen' }));
  return connections.map((connection) => ({ connection, options }));
}

/** Of section `manager:`. What reads the file is loaded only for it. @throws HcmError as `openManagerFile`. */
export async function openDeclaredListeners(
  request: ManagerFileRequest,
  shared: ListenerOptions,
): Promise<WantedListener[]> {
  const { openManagerFile } = await import('./manager-file.ts');
  const opened = await openManagerFile('listeners', request);
  return opened.map(({ entry, connection }) => ({
    connection,
    options: { ...shared, ...declaredListenerOptions(entry) },
  }));
}

function readOne(texts: readonly string[]): { target?: TargetAddress } {
  const [text, ...more] = texts;
  if (text === undefined) return {};
  if (more.length > 0) {
    throw usage(
      `With the dialect raw there is one target, and --target stands there ${texts.length} times.`,
      `Give one, or logical ports: ${EXAMPLE}`,
    );
  }
  const { name, address } = splitNamed(text);
  if (name !== undefined) {
    throw usage(
      `--target ${text} names a logical port, and the dialect raw has none.`,
      `Write --target ${address}, or add --dialect azbridge`,
    );
  }
  const target = parseTargetAddress(text);
  if (target.kind === 'udp')
    throw usage('The dialect raw carries no datagrams.', `Add --dialect azbridge to --target ${text}`);
  return { target };
}

function readPorts(texts: readonly string[]): ReadonlyMap<string, TargetAddress> {
  if (texts.length === 0)
    throw usage('With --dialect azbridge, each logical port needs its target.', EXAMPLE);
  const ports = new Map<string, TargetAddress>();
  for (const text of texts) {
    const { name: given, address } = splitNamed(text);
    const target = parseTargetAddress(address);
    const name = given ?? ownPortName(target);
    if (name === undefined)
      throw usage(`--target ${text} has no port to be named after.`, `Give it a name: --target NAME=${text}`);
    const fault = namedTargetFault(name, target);
    if (fault !== undefined) {
      const next = target.kind === 'http' ? `--target http=${address}` : `--target NAME=${address}`;
      throw usage(`"${name}" cannot be the name of this logical port: ${fault}.`, next);
    }
    if (ports.has(name))
      throw usage(
        `The logical port "${name}" has two targets.`,
        `Give each a name of its own: --target NAME=${address}`,
      );
    ports.set(name, target);
  }
  if (httpPortNames(ports).length > 1)
    throw usage('A connection can have one HTTP target.', 'Take another hybrid connection for the second');
  return ports;
}

function checkHttpFlags(flags: ListenTargetFlags, targets: ListenerTargets): void {
  const isHttp =
    targets.dialect === 'raw' ? targets.target?.kind === 'http' : httpPortNames(targets.ports).length > 0;
  const hostHeader = flags['host-header'];
  const fault = hostHeader === undefined ? undefined : hostHeaderFault(hostHeader);
  if (fault !== undefined)
    throw usage(`--host-header cannot be "${hostHeader}": ${fault}.`, '--host-header intranet.corp.local');
  if (isHttp) return;
  const flag = flags['keep-path']
    ? '--keep-path'
    : flags['host-header'] === undefined
      ? undefined
      : '--host-header';
  if (flag !== undefined)
    throw usage(
      `${flag} goes with an HTTP target.`,
      `hcm listen CONNECTION --target http://HOST:PORT ${flag}`,
    );
}

function usage(message: string, next: string): HcmError {
  return new HcmError('HCM_USAGE', message, { details: { next } });
}
