/** What the manager runs, for people. Programs get the views of the control API as they are. */
import { TimeAgo } from './time-ago.ts';
import type {
  ConnectionDetails,
  ConnectionView,
  ErrorView,
  EventView,
  KeyPlace,
  KeysView,
  ManagerView,
  ReasonView,
} from '../../../manager/control/operations.ts';
import type { Output } from '../output.ts';
import { formatFields, formatTable, type Column, type Field } from '../table.ts';

const NONE = 'The manager runs no connection. Next: hcm add NAMESPACE/NAME';
const NONE_OF_THEM = 'None of the connections that the manager runs is meant. Next: hcm list';

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

/** A line each, and below what to do about those that need a look. */
export function managedLines(connections: readonly ConnectionView[], nowMs: number): string[] {
  if (connections.length === 0) return [];
  return [...formatTable(columns(new TimeAgo(nowMs)), connections), ...remedyLines(connections)];
}

/** `existing`: how many the manager has in all, before a pattern or a flag chose among them. */
export function printManaged(
  output: Output,
  connections: readonly ConnectionView[],
  nowMs: number,
  existing: number,
): void {
  if (connections.length === 0) return output.say(existing === 0 ? NONE : NONE_OF_THEM);
  for (const line of managedLines(connections, nowMs)) output.answer(line);
}

export function connectionLines(shown: ConnectionDetails, nowMs: number): string[] {
  const ago = new TimeAgo(nowMs);
  const { connection, role, source, state, since, reason, retryAt, binds, setUpMs } = shown;
  return [
    ...formatFields([
      ['connection', connection],
      ['role', role],
      ['declared in', source === 'file' ? 'hcm.yaml' : 'the store'],
      ['state', `${state} since ${ago.text(since)}`],
      ['reason', reason && `${reason.message} (${reason.code})`],
      ['next', reason?.next],
      ['next attempt', retryAt],
      ['target', shown.target],
      ['bound to', binds.length === 0 ? undefined : binds],
      ['streams', `${shown.openStreams} open, ${shown.opened} so far, ${shown.refused} refused`],
      ['bytes', `${shown.bytesIn} in, ${shown.bytesOut} out`],
      ['reconnects', shown.reconnects],
      ['time to open', setUpMs && `${setUpMs.p50} ms, 99 of 100 within ${setUpMs.p99} ms`],
    ]),
    ...shown.streams.map(({ stream, since: opened, bytesIn, bytesOut, remote }) => {
      const from = remote === undefined ? '' : ` from ${remote}`;
      return `stream ${stream}${from}: ${ago.text(opened)}, ${bytesIn} bytes in, ${bytesOut} out`;
    }),
    ...errorLines(shown.errors, ago),
  ];
}

/** Newest first; what came again and again stands once, where it came last. The same advice stands once below. */
function errorLines(errors: readonly ErrorView[], ago: TimeAgo): string[] {
  const alike = new Map<string, { last: ErrorView; count: number }>();
  for (const error of errors) {
    const key = `${error.code} ${error.message}`;
    const { last, count } = alike.get(key) ?? { last: error, count: 0 };
    alike.set(key, { last, count: count + 1 });
  }
  const groups = [...alike.values()];
  return groups.flatMap(({ last, count }, index) => {
    const { at, code, message, stream, next } = last;
    const when = `${ago.text(at)} ago`;
    const often = count === 1 ? when : `${count} times, last ${when}`;
    const isSaidBelow = next === undefined || groups[index + 1]?.last.next === next;
    return [
      `${often}: ${message} (${code})${stream === undefined ? '' : `, stream ${stream}`}`,
      ...(isSaidBelow ? [] : [`  Next: ${next}`]),
    ];
  });
}

export function printManagedConnection(output: Output, shown: ConnectionDetails, nowMs: number): void {
  for (const line of connectionLines(shown, nowMs)) output.answer(line);
}

export interface Status {
  readonly manager: ManagerView;
  readonly connections: readonly ConnectionView[];
}

/** `before`: fields that stand above, in the same columns. */
export function statusLines(status: Status, nowMs: number, before: readonly Field[] = []): string[] {
  const { manager, connections } = status;
  const others = connections.filter(({ state }) => state !== 'online');
  const { problems } = manager;
  return [
    ...formatFields([
      ...before,
      [
        'manager',
        `${manager.version}, process ${manager.pid}, up ${new TimeAgo(nowMs).text(manager.startedAt)}`,
      ],
      ['store', manager.folder],
      ['keys', manager.keys && keyLines(manager.keys)],
      ['file', manager.file],
      ['web', manager.web],
      ['connections', `${connections.length - others.length} of ${connections.length} online`],
      ['problems', problems.length === 0 ? undefined : problems.flatMap(problemLines)],
    ]),
    ...managedLines(others, nowMs),
  ];
}

export function printStatus(
  output: Output,
  status: Status,
  nowMs: number,
  before: readonly Field[] = [],
): void {
  for (const line of statusLines(status, nowMs, before)) output.answer(line);
}

const HELD: Readonly<Record<KeyPlace, string>> = {
  keychain: 'in the keychain',
  file: 'in secrets.json',
  credential: 'handed over by systemd',
  'key-file': 'in a file that hcm.yaml names',
  variable: 'in hcm.yaml or its variables',
};

function keyLines({ choice, added, because, held }: KeysView): string[] {
  const counts = Object.entries(HELD).flatMap(([place, where]) => {
    const count = held[place as KeyPlace];
    return count === undefined ? [] : [`${count} ${where}`];
  });
  const why = because === undefined ? '' : `: ${because.replace(/\.$/, '')}`;
  return [
    ...counts,
    `new ones go ${added === 'file' ? 'to secrets.json' : 'to the keychain'} (${choice}${why})`,
  ];
}

function problemLines({ message, next }: ReasonView): string[] {
  return next === undefined ? [message] : [message, `  Next: ${next}`];
}

/** The same advice for several stands once. */
function remedyLines(connections: readonly ConnectionView[]): string[] {
  const byAdvice = new Map<string, string[]>();
  for (const { connection, reason } of connections) {
    if (reason?.next === undefined) continue;
    byAdvice.set(reason.next, [...(byAdvice.get(reason.next) ?? []), connection]);
  }
  return [...byAdvice].map(([next, names]) => `Next for ${[...new Set(names)].join(', ')}: ${next}`);
}

/** One line of the log. */
export function logLine({ time, event, id, ...fields }: EventView): string {
  const about = Object.entries(fields).map(([name, value]) => `${name}=${asText(value)}`);
  return [time, event, ...(id === undefined ? [] : [`"${id}"`]), ...about].join(' ');
}

function asText(value: unknown): string {
  if (isReason(value)) return JSON.stringify(`${value.message} (${value.code})`);
  return typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value);
}

/** An error, or why a state is as it is. */
function isReason(value: unknown): value is ReasonView {
  if (typeof value !== 'object' || value === null) return false;
  const { code, message } = value as Partial<Record<keyof ReasonView, unknown>>;
  return typeof code === 'string' && typeof message === 'string';
}

function leadsTo({ target, binds }: ConnectionView): string | undefined {
  return binds.length > 0 ? binds.join(', ') : target;
}
