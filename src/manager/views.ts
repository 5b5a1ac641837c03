/** What the control API shows of a connection. */
import type { ConnectionState, Reason } from './connection-record.ts';
import type { ConnectionDetails, ConnectionView } from './control/operations.ts';
import type { Measured } from './history.ts';
import type { ManagedConnection } from './managed-connection.ts';
import { remedyOf } from '../lib/error-table.ts';
import { formatTargetAddress } from '../protocol/target-address.ts';
import { formatBind, formatTarget, parseBind } from '../protocol/target.ts';
import { keyRemedy } from './key-remedy.ts';
import { percentile } from './set-up-times.ts';
import type { ConnectionSpec } from './tunnel.ts';

export function viewOf(managed: ManagedConnection): ConnectionView {
  const { spec, record, tunnel, unconfirmedTarget } = managed;
  const { state, totals, streams } = record;
  const { newest } = record.setUp;
  const { id, role, connection, source } = spec;
  const live = managed.streams;
  const retryAtMs = state.name === 'target-down' ? managed.nextCheckAtMs : retryOf(state);
  const healthCheck = healthCheckOf(managed);
  const target = record.target ?? wantedTargetOf(spec);
  return {
    ...{ id, role, connection, source },
    state: state.name,
    since: isoTime(state.sinceMs),
    ...('reason' in state ? { reason: withRemedy(state.reason, managed) } : {}),
    ...(retryAtMs === undefined ? {} : { retryAt: isoTime(retryAtMs) }),
    ...(healthCheck === undefined ? {} : { healthCheck }),
    ...(target === undefined ? {} : { target }),
    ...(unconfirmedTarget === undefined ? {} : { unconfirmedTarget }),
    binds: tunnel?.binds ?? wantedBindsOf(spec),
    openStreams: streams.size,
    opened: totals.opened,
    refused: totals.refused,
    bytesIn: totals.bytesIn + sum(live.map(({ bytesIn }) => bytesIn)),
    bytesOut: totals.bytesOut + sum(live.map(({ bytesOut }) => bytesOut)),
    reconnects: totals.reconnects,
    ...(newest.length === 0 ? {} : { setUpMs: percentiles(newest) }),
  };
}

/** Where it is to lead, while no tunnel has told it. */
function wantedTargetOf({ declared, pinned }: ConnectionSpec): string | undefined {
  const targets = declared.kind === 'listener' ? declared.listener.targets : undefined;
  const target = targets?.dialect === 'raw' ? targets.target : undefined;
  return target ? formatTargetAddress(target) : pinned && formatTarget(pinned);
}

/** What it is to bind, while nothing is bound; port 0 is any free one. */
function wantedBindsOf({ declared }: ConnectionSpec): readonly string[] {
  if (declared.kind === 'listener') return [];
  const { binds } = declared.forward;
  if (binds.kind === 'azbridge') return [...binds.ports.values()].map(formatBind);
  return [formatBind(binds.bind ?? parseBind('0'))];
}

function retryOf(state: ConnectionState): number | undefined {
  return state.name === 'waiting' ? state.retryAtMs : undefined;
}

function healthCheckOf({ spec, checkEveryMs }: ManagedConnection): ConnectionView['healthCheck'] {
  const { declared } = spec;
  const check = declared.kind === 'listener' ? declared.listener.healthCheck : undefined;
  if (check === undefined || checkEveryMs === undefined) return undefined;
  const path = check.kind === 'http' ? check.path : undefined;
  return { check: path === undefined ? check.kind : `http ${path}`, everySeconds: checkEveryMs / 1_000 };
}

export function detailsOf(managed: ManagedConnection): ConnectionDetails {
  const { record, streams } = managed;
  const live = new Map(streams.map((one) => [one.stream, one]));
  return {
    ...viewOf(managed),
    streams: [...record.streams.values()].map(({ stream, sinceMs, target, remote }) => ({
      stream,
      since: isoTime(sinceMs),
      bytesIn: live.get(stream)?.bytesIn ?? 0,
      bytesOut: live.get(stream)?.bytesOut ?? 0,
      ...(target === undefined ? {} : { target }),
      ...(remote === undefined ? {} : { remote }),
    })),
    errors: record.errors.map(({ code, message, next, atMs, stream }) => ({
      ...{ code, message, next },
      at: isoTime(atMs),
      ...(stream === undefined ? {} : { stream }),
    })),
  };
}

/** What the history keeps of it. */
export function measuredOf(managed: ManagedConnection): Measured {
  const { id, bytesIn, bytesOut, openStreams } = viewOf(managed);
  const { record } = managed;
  return { id, bytesIn, bytesOut, openStreams, life: record, setUp: record.setUp };
}

/**
 * Another target than the confirmed one is confirmed here; whatever else may not be dialed, the listener's flags say. A key
 * that is missing is missing to the manager, which has no flags of whoever asks.
 */
function withRemedy(reason: Reason, { spec, unconfirmedTarget }: ManagedConnection): Reason {
  if (unconfirmedTarget !== undefined)
    return { ...reason, next: `hcm restart ${spec.connection} --accept-target` };
  if (reason.code === 'HCM_TOKEN_MISSING' && reason.next === remedyOf({ code: reason.code }))
    return { ...reason, next: keyRemedy(spec) };
  return reason;
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function percentiles(values: readonly number[]): { p50: number; p99: number } {
  return { p50: percentile(values, 0.5) ?? 0, p99: percentile(values, 0.99) ?? 0 };
}
