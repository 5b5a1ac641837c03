/**
 * What `forward` is asked to bind: CONNECTION with --bind, several of `CONNECTION=ADDR:PORT`, logical ports of azbridge
 * with a --bind for each, or what a file declares.
 */
import { HcmError } from '../../protocol/errors.ts';
import { isLoopbackName } from '../../protocol/relay-hosts.ts';
import { formatBind, parseBind, type Bind, type StreamBind } from '../../protocol/target.ts';
import { ownPortName, portNameFault, splitNamed } from '../logical-ports.ts';
import { connectionRequest, type ConnectionFlags } from './connection-flags.ts';
import { readConnections, type ConnectionRequest } from './connection-input.ts';
import type { DialectName } from './dialect-flags.ts';
import type { ManagerFileRequest } from './manager-file.ts';
import type { Output } from './output.ts';
import type { Forward, ForwardPlan } from './run-forward.ts';

export interface ForwardFlags extends ConnectionFlags {
  bind?: readonly string[] | undefined;
  dialect?: DialectName | undefined;
  http?: boolean;
  'keep-path'?: boolean;
}

export interface ForwardRequest {
  flags: ForwardFlags;
  /** CONNECTION arguments, as typed. */
  names: readonly string[];
  output: Output;
}

export interface NamedBind {
  /** Undefined: the one connection of the connection string. */
  name: string | undefined;
  bind: StreamBind;
}

/** Any free port of this machine alone. */
const DEFAULT_BIND: StreamBind = { kind: 'tcp', host: '127.0.0.1', port: 0 };
const LOGICAL_EXAMPLE = 'hcm forward CONNECTION --dialect azbridge --bind db=127.0.0.1:5432';

/** @throws HcmError HCM_BIND_INVALID; HCM_USAGE, also for one address given twice. */
export function parseForwardArguments(args: readonly string[], bindFlag: string | undefined): NamedBind[] {
  if (bindFlag !== undefined && (args.length > 1 || args.some(hasBind))) throw oneBindOnly();
  const flagged = bindFlag === undefined ? undefined : parseBind(bindFlag);
  if (args.length === 0) return [{ name: undefined, bind: flagged ?? DEFAULT_BIND }];
  const binds = args.map((text): NamedBind => {
    const equals = text.indexOf('=');
    if (!hasBind(text)) return { name: text, bind: flagged ?? DEFAULT_BIND };
    return { name: text.slice(0, equals), bind: parseBind(text.slice(equals + 1)) };
  });
  refuseSameBind(binds);
  return binds;
}

/** The second would only say that the port is in use, as if by another program. */
function refuseSameBind(binds: readonly NamedBind[]): void {
  const taken = new Map<string, string>();
  for (const { name = '', bind } of binds) {
    const address = formatBind(bind);
    const first = taken.get(address);
    if (first !== undefined && !isAnyFreePort(bind))
      throw usage(
        `${address} stands there twice, for ${first} and for ${name}.`,
        'Give each CONNECTION an address of its own',
      );
    taken.set(address, name);
  }
}

function isAnyFreePort(bind: StreamBind): boolean {
  return bind.kind === 'tcp' && bind.port === 0;
}

function oneBindOnly(): HcmError {
  return new HcmError('HCM_USAGE', '--bind goes with one CONNECTION.', {
    details: { next: 'hcm forward A=127.0.0.1:1433 B=127.0.0.1:5432' },
  });
}

/** The names of hybrid connections hold no `=`; connection strings do, and are refused with their own words later. */
function hasBind(text: string): boolean {
  return text.includes('=') && !/endpoint=|sharedaccess/i.test(text);
}

/** True when other machines can reach what is bound. */
export function isOpenToNetwork(bind: Bind): boolean {
  return bind.kind !== 'unix' && !isLoopbackName(bind.host);
}

export function warnIfOpenToNetwork(bind: Bind, output: Output): void {
  if (isOpenToNetwork(bind)) output.warn(`whoever reaches ${formatBind(bind)} can use this tunnel`);
}

/** The connections with the addresses to bind. Warns of addresses that other machines reach. */
export async function readForwards(request: ForwardRequest): Promise<ForwardPlan> {
  const { flags, names, output } = request;
  const connecting = connectionRequest(flags, { names, output, right: 'Send' });
  const forwards =
    flags.dialect === 'azbridge'
      ? await readLogicalForwards(connecting, flags)
      : await readRawForwards(connecting, flags);
  for (const { bind } of forwards) warnIfOpenToNetwork(bind, output);
  return { forwards };
}

/** Of section `manager:`. What reads the file is loaded only for it. @throws HcmError as `openManagerFile`. */
export async function openDeclaredForwards(request: ManagerFileRequest): Promise<ForwardPlan> {
  const { openManagerFile } = await import('./manager-file.ts');
  const opened = await openManagerFile('forwards', request);
  const forwards = opened.flatMap(({ entry: { binds, idleTimeoutMs }, connection }): Forward[] => {
    const options = idleTimeoutMs === undefined ? {} : { options: { idleTimeoutMs } };
    if (binds.kind === 'azbridge')
      return [...binds.ports].map(([logicalPort, bind]) => ({ connection, bind, logicalPort, ...options }));
    const { bind = DEFAULT_BIND } = binds;
    const http = binds.kind === 'http' ? { keepPath: binds.keepPath } : undefined;
    return [{ connection, bind, http, ...options }];
  });
  for (const { bind } of forwards) warnIfOpenToNetwork(bind, request.output);
  return { forwards };
}

async function readRawForwards(request: ConnectionRequest, flags: ForwardFlags): Promise<Forward[]> {
  const bindFlag = onlyRawBind(flags.bind ?? []);
  const wanted = parseForwardArguments(request.names, bindFlag);
  const names = wanted.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const connections = await readConnections({ ...request, names });
  if (connections.length > wanted.length && bindFlag !== undefined) throw oneBindOnly();
  const http = flags.http ? { keepPath: flags['keep-path'] } : undefined;
  return connections.map((connection, index) => ({
    connection,
    bind: wanted[index]?.bind ?? DEFAULT_BIND,
    http,
  }));
}

function onlyRawBind([text, ...more]: readonly string[]): string | undefined {
  if (text === undefined) return undefined;
  if (more.length > 0) throw oneBindOnly();
  const { name, address } = splitNamed(text);
  if (name !== undefined)
    throw usage(
      `--bind ${text} names a logical port, and the dialect raw has none.`,
      `Write --bind ${address}, or add --dialect azbridge`,
    );
  if (/^udp:/i.test(text.trim()))
    throw usage('The dialect raw carries no datagrams.', `Add --dialect azbridge to --bind ${text}`);
  return text;
}

async function readLogicalForwards(request: ConnectionRequest, flags: ForwardFlags): Promise<Forward[]> {
  if (flags.http) throw usage('--http goes with the dialect raw.', 'Leave out --dialect azbridge');
  const binds = readLogicalBinds(flags.bind ?? []);
  const severalNext = 'Write them into section manager of a file: hcm forward --file hcm.yaml';
  if (request.names.some(hasBind))
    throw usage('With --dialect azbridge, addresses stand in --bind.', LOGICAL_EXAMPLE);
  if (request.names.length > 1) throw usage('--dialect azbridge takes one CONNECTION.', severalNext);
  const connections = await readConnections(request);
  const [connection] = connections;
  if (connection === undefined || connections.length > 1)
    throw usage('--dialect azbridge takes one connection string.', severalNext);
  return binds.map(({ name, bind }) => ({ connection, bind, logicalPort: name }));
}

/** `[NAME=]ADDRESS`; several may have the same name. @throws HcmError HCM_BIND_INVALID, HCM_USAGE. */
export function readLogicalBinds(texts: readonly string[]): { name: string; bind: Bind }[] {
  if (texts.length === 0)
    throw usage('With --dialect azbridge, --bind says which logical ports are opened.', LOGICAL_EXAMPLE);
  return texts.map((text) => {
    const { name: given, address } = splitNamed(text);
    const bind = parseBind(address, { udp: true });
    const name = given ?? ownPortName(bind);
    if (name === undefined)
      throw usage(
        `--bind ${text} has no port to be named after.`,
        `Name the logical port: --bind NAME=${text}`,
      );
    const fault = portNameFault(name);
    if (fault !== undefined)
      throw usage(`"${name}" cannot be the name of a logical port: ${fault}.`, `--bind NAME=${address}`);
    return { name, bind };
  });
}

function usage(message: string, next: string): HcmError {
  return new HcmError('HCM_USAGE', message, { details: { next } });
}
