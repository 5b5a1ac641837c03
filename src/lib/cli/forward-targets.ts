/** What `forward` is asked to bind: CONNECTION with --bind, or several of `CONNECTION=ADDR:PORT`. */
import { HcmError } from '../../protocol/errors.ts';
import { isLoopbackName } from '../../protocol/relay-hosts.ts';
import { formatBind, parseBind, type StreamBind } from '../../protocol/target.ts';
import { readConnections, type ConnectionRequest } from './connection-input.ts';
import type { Output } from './output.ts';
import type { ForwardPlan } from './run-forward.ts';

export interface NamedBind {
  /** Undefined: the one connection of the connection string. */
  name: string | undefined;
  bind: StreamBind;
}

/** Any free port of this machine alone. */
const DEFAULT_BIND: StreamBind = { kind: 'tcp', host: '127.0.0.1', port: 0 };

/** @throws HcmError HCM_BIND_INVALID, HCM_USAGE. */
export function parseForwardArguments(args: readonly string[], bindFlag: string | undefined): NamedBind[] {
  if (bindFlag !== undefined && (args.length > 1 || args.some(hasBind))) throw oneBindOnly();
  const flagged = bindFlag === undefined ? undefined : parseBind(bindFlag);
  if (args.length === 0) return [{ name: undefined, bind: flagged ?? DEFAULT_BIND }];
  return args.map((text) => {
    const equals = text.indexOf('=');
    if (!hasBind(text)) return { name: text, bind: flagged ?? DEFAULT_BIND };
    return { name: text.slice(0, equals), bind: parseBind(text.slice(equals + 1)) };
  });
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
export function isOpenToNetwork(bind: StreamBind): boolean {
  return bind.kind === 'tcp' && !isLoopbackName(bind.host);
}

export function warnIfOpenToNetwork(bind: StreamBind, output: Output): void {
  if (isOpenToNetwork(bind)) output.warn(`whoever reaches ${formatBind(bind)} can use this tunnel`);
}

/** The connections with the addresses to bind. Warns of addresses that other machines reach. */
export async function readForwards(
  request: ConnectionRequest,
  bindFlag: string | undefined,
): Promise<ForwardPlan> {
  const wanted = parseForwardArguments(request.names, bindFlag);
  const names = wanted.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const connections = await readConnections({ ...request, names });
  if (connections.length > wanted.length && bindFlag !== undefined) throw oneBindOnly();
  for (const { bind } of wanted) warnIfOpenToNetwork(bind, request.output);
  return {
    forwards: connections.map((connection, index) => ({
      connection,
      bind: wanted[index]?.bind ?? DEFAULT_BIND,
    })),
  };
}
