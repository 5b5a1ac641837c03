/** What the manager runs, for people. Programs get the views of the control API as they are. */
import { TimeAgo } from './time-ago.ts';
import type {
  ConnectionDetails,
  ConnectionView,
  EventView,
  ManagerView,
} from '../../../manager/control/operations.ts';
import type { Output } from '../output.ts';
import { printFields, printTable, type Column } from '../table.ts';

const NONE = 'The manager runs no connection. Next: hcm add NAMESPACE/NAME';

function columns(ago: TimeAgo): Column<ConnectionView>[] {
  return [
    { title: 'CONNECTION', value: ({ connection }) => connection },
    { title: 'ROLE', value: ({ role }) => role },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'SINCE', value: ({ since }) => ago.text(since) },
    { title: 'LEADS TO', value: leadsTo },
    { title: 'STREAMS', value: ({ openStreams }) => openStreams, align: 'right' },
    { title: 'REASON', value: ({ reason }) => reason && `${reason.message} (${reason.code})` },
  ];
}

export function printManaged(output: Output, connections: readonly ConnectionView[], nowMs: number): void {
  printTable(output, columns(new TimeAgo(nowMs)), connections, NONE);
}

export function printManagedConnection(output: Output, shown: ConnectionDetails, nowMs: number): void {
  const ago = new TimeAgo(nowMs);
  const { connection, role, source, state, since, reason, retryAt, binds, setUpMs } = shown;
  printFields(output, [
    ['connection', connection],
    ['role', role],
    ['declared in', source === 'file' ? 'hcm.yaml' : 'the store'],
    ['state', `${state} since ${ago.text(since)}`],
    ['reason', reason && `${reason.message} (${reason.code})`],
    ['next attempt', retryAt],
    ['target', shown.target],
    ['bound to', binds.length === 0 ? undefined : binds],
    ['streams', `${shown.openStreams} open, ${shown.opened} so far, ${shown.refused} refused`],
    ['bytes', `${shown.bytesIn} in, ${shown.bytesOut} out`],
    ['reconnects', shown.reconnects],
    ['time to open', setUpMs && `${setUpMs.p50} ms, 99 of 100 within ${setUpMs.p99} ms`],
  ]);
  for (const { stream, since: opened, bytesIn, bytesOut, remote } of shown.streams) {
    const from = remote === undefined ? '' : ` from ${remote}`;
    output.answer(`stream ${stream}${from}: ${ago.text(opened)}, ${bytesIn} bytes in, ${bytesOut} out`);
  }
  for (const { at, code, message } of shown.errors)
    output.answer(`${ago.text(at)} ago: ${message} (${code})`);
}

export function printStatus(
  output: Output,
  { manager, connections }: { manager: ManagerView; connections: readonly ConnectionView[] },
  nowMs: number,
): void {
  const count = (state: ConnectionView['state']) =>
    connections.filter((connection) => connection.state === state).length;
  const online = count('online');
  printFields(output, [
    [
      'manager',
      `${manager.version}, process ${manager.pid}, up ${new TimeAgo(nowMs).text(manager.startedAt)}`,
    ],
    ['store', manager.folder],
    ['file', manager.file],
    ['connections', `${online} of ${connections.length} online`],
    ['problems', manager.problems.length === 0 ? undefined : manager.problems.map(({ message }) => message)],
  ]);
  const others = connections.filter(({ state }) => state !== 'online');
  if (others.length > 0) printManaged(output, others, nowMs);
}

/** One line of the log. */
export function logLine({ time, event, id, ...fields }: EventView): string {
  const about = Object.entries(fields).map(([name, value]) => `${name}=${asText(value)}`);
  return [time, event, ...(id === undefined ? [] : [`"${id}"`]), ...about].join(' ');
}

function asText(value: unknown): string {
  return typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value);
}

function leadsTo({ target, binds }: ConnectionView): string | undefined {
  return binds.length > 0 ? binds.join(', ') : target;
}
