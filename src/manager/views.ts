/** What the control API shows of a connection. */
import type { ConnectionDetails, ConnectionView } from './control/operations.ts';
import type { ManagedConnection } from './managed-connection.ts';

export function viewOf({ spec, record, tunnel }: ManagedConnection): ConnectionView {
  const { state, totals, streams, setUpMs } = record;
  const { id, role, connection, source } = spec;
  const live = tunnel?.streams() ?? [];
  return {
    ...{ id, role, connection, source },
    state: state.name,
    since: isoTime(state.sinceMs),
    ...('reason' in state ? { reason: state.reason } : {}),
    ...(state.name === 'waiting' ? { retryAt: isoTime(state.retryAtMs) } : {}),
    ...(record.target === undefined ? {} : { target: record.target }),
    binds: tunnel?.binds ?? [],
    openStreams: streams.size,
    opened: totals.opened,
    refused: totals.refused,
    bytesIn: totals.bytesIn + sum(live.map(({ bytesIn }) => bytesIn)),
    bytesOut: totals.bytesOut + sum(live.map(({ bytesOut }) => bytesOut)),
    reconnects: totals.reconnects,
    ...(setUpMs.length === 0 ? {} : { setUpMs: percentiles(setUpMs) }),
  };
}

export function detailsOf(managed: ManagedConnection): ConnectionDetails {
  const { record, tunnel } = managed;
  const live = new Map((tunnel?.streams() ?? []).map((one) => [one.stream, one]));
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
    errors: record.errors.map(({ code, message, atMs, stream }) => ({
      code,
      message,
      at: isoTime(atMs),
      ...(stream === undefined ? {} : { stream }),
    })),
  };
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Nearest rank. */
function percentiles(values: readonly number[]): { p50: number; p99: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}
