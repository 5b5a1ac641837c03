/**
 * The goals of docs/performance.md as data: one entry a number. Each compares a metric of one source (a path, its
 * legs, a workload) with the same metric of another, in the same round; without `against` the number stands alone.
 */
import type { Workload } from './workloads.ts';

/** Where a sample comes from. */
export interface Source {
  path: string;
  legs: 'plain' | 'tls';
  workload: Workload;
}

export interface Figure {
  /** The number in the table of goals, with a letter where that row holds several numbers. */
  id: string;
  what: string;
  metric: string;
  of: Source;
  against?: Source;
  better: 'higher' | 'lower';
  /** What the first version must reach, and what is aimed at; absent: no goal yet. */
  first?: number;
  goal?: number;
  /** At most this many rounds: the figure is slow and steady. */
  rounds?: number;
  /** Left out by --quick. */
  slow?: boolean;
  /** Why nobody can measure it yet. */
  later?: string;
}

type Legs = Source['legs'];
type Goals = Pick<Figure, 'first' | 'goal' | 'rounds' | 'slow' | 'later'>;

const bulk = (streams = 1, direction: 'up' | 'down' = 'up'): Workload => ({
  kind: 'bulk',
  direction,
  streams,
  gigabytes: streams >= 100 ? 2.5 : 1,
});
const ping: Workload = { kind: 'ping' };
const paced: Workload = { kind: 'paced' };
const storm: Workload = { kind: 'storm' };
const idle = (streams: number): Workload => ({ kind: 'idle', streams });
const stall = (streams: number): Workload => ({ kind: 'stall', streams });
const command = (program: 'node' | 'hcm', ...args: string[]): Workload => ({
  kind: 'command',
  program,
  args,
});
const node: Source = { path: 'node', legs: 'plain', workload: command('node', '-e', '0') };

/** `path` (ours, unless it says otherwise) against a peer with the same legs and the same work. */
function versus(
  peer: string,
  legs: Legs,
  workload: Workload,
  metric: string,
  goals: Goals & { path?: string },
): Pick<Figure, 'of' | 'against' | 'metric' | 'better'> & Goals {
  const { path = 'ours', ...rest } = goals;
  const better = metric === 'mbPerSecond' || metric === 'perSecond' ? 'higher' : 'lower';
  return { of: { path, legs, workload }, against: { path: peer, legs, workload }, metric, better, ...rest };
}

/** Ours alone, or ours under load against ours without. */
function alone(
  workload: Workload,
  metric: string,
  better: Figure['better'],
  goals: Goals & { against?: Workload },
): Pick<Figure, 'of' | 'against' | 'metric' | 'better'> & Goals {
  const { against, ...rest } = goals;
  const source = (one: Workload): Source => ({ path: 'ours', legs: 'plain', workload: one });
  return { of: source(workload), ...(against && { against: source(against) }), metric, better, ...rest };
}

const mb = 'mbPerSecond';

/** Relayed HTTP over TLS, with its target in a process of its own against no relay at all (and no TLS), then a handler in
 * the listener against Microsoft's. */
const http = (id: string, what: string, workload: Workload, metric: string): Figure[] => {
  const pairs: [of: string, against: Source][] = [
    ['ours-http', { path: 'direct-http', legs: 'plain', workload }],
    ['ours-handler', { path: 'hyco-https', legs: 'tls', workload }],
  ];
  return pairs.map(([path, against], index) => ({
    id: `${id}${'dh'[index]}`,
    what: `HTTP, ${what}`,
    metric,
    of: { path, legs: 'tls', workload },
    against,
    better: metric === mb || metric === 'perSecond' ? 'higher' : 'lower',
  }));
};
const get = (atOnce: number): Workload => ({ kind: 'http-get', atOnce });
const httpBulk = (direction: 'up' | 'down'): Workload => ({ kind: 'http-bulk', direction, megabytes: 100 });

/** The machine's own part in a row: a peer without any of ours, against another one or under another load. */
function bare(
  id: string,
  path: string,
  workload: Workload,
  metric: string,
  against: string | Workload,
  legs: Legs = 'plain',
): Figure {
  const source = (peer: string, one: Workload): Source => ({ path: peer, legs, workload: one });
  return {
    id,
    what: 'the same, without ours',
    metric,
    of: source(path, workload),
    against: typeof against === 'string' ? source(against, workload) : source(path, against),
    better: metric === mb || metric === 'perSecond' ? 'higher' : 'lower',
    ...(id.startsWith('19') ? scaling : {}),
  };
}

/** "Flat" in row 19: no more than a fifth worse than with ten streams. */
const flat = { throughput: 0.8, latency: 1.25, memory: 1.25 };
const scaling = { rounds: 2, slow: true };

export const figures: Figure[] = [
  { id: '0a', what: 'plain, 1 stream, direct TCP', ...versus('direct', 'plain', bulk(), mb, {}) },
  { id: '0b', what: 'ping-pong p50, direct TCP', ...versus('direct', 'plain', ping, 'p50', {}) },
  {
    id: '1',
    what: 'plain, 1 stream',
    ...versus('node-pipe', 'plain', bulk(), mb, { first: 1.1, goal: 1.4 }),
  },
  {
    id: '1d',
    what: 'plain, 1 stream down',
    ...versus('node-pipe', 'plain', bulk(1, 'down'), mb, { first: 1.1, goal: 1.4 }),
  },
  bare('1o', 'node-onread', bulk(), mb, 'node-pipe'),
  bare('1do', 'node-onread', bulk(1, 'down'), mb, 'node-pipe'),
  bare('2o', 'node-onread', bulk(), mb, 'haproxy'),
  { id: '2', what: 'plain, 1 stream', ...versus('haproxy', 'plain', bulk(), mb, { first: 0.95, goal: 1.3 }) },
  {
    id: '3a',
    what: 'plain, 10 streams',
    ...versus('haproxy', 'plain', bulk(10), mb, { first: 1.2, goal: 1.6 }),
  },
  {
    id: '3b',
    what: 'plain, 100 streams',
    ...versus('haproxy', 'plain', bulk(100), mb, { first: 1.2, goal: 1.6 }),
  },
  {
    id: '4',
    what: 'plain, 1 stream',
    ...versus('node-onread', 'plain', bulk(), mb, { first: 0.8, goal: 0.95 }),
  },
  { id: '5', what: 'TLS, 1 stream', ...versus('haproxy', 'tls', bulk(), mb, { first: 0.85, goal: 1.1 }) },
  {
    id: '5d',
    what: 'TLS, 1 stream down',
    ...versus('haproxy', 'tls', bulk(1, 'down'), mb, { first: 0.85, goal: 1.1 }),
  },
  {
    id: '6a',
    what: 'TLS, 1 stream',
    ...versus('openssh-chacha20', 'tls', bulk(), mb, { first: 1.2, goal: 1.55 }),
  },
  {
    id: '6b',
    what: 'TLS, 1 stream',
    ...versus('openssh-aes128gcm', 'tls', bulk(), mb, { first: 0.85, goal: 1.1 }),
  },
  {
    id: '7',
    what: 'TLS, 100 streams',
    ...versus('haproxy', 'tls', bulk(100), mb, { first: 0.75, goal: 1.05 }),
  },
  { id: '8a', what: 'TLS, 1 stream', ...versus('ws', 'tls', bulk(), mb, { first: 1.2, goal: 1.5 }) },
  {
    id: '8b',
    what: 'TLS, 1 stream',
    ...versus('go', 'tls', bulk(), mb, { goal: 1.4, later: 'no Go tool of this shape is in the benchmark' }),
  },
  {
    id: '9a',
    what: 'listener CPU/GB, plain',
    ...versus('hyco-ws', 'plain', bulk(), 'listenerCpu', { first: 0.5, goal: 0.32 }),
  },
  {
    id: '9b',
    what: 'listener CPU/GB, TLS',
    ...versus('hyco-ws', 'tls', bulk(), 'listenerCpu', { first: 0.7, goal: 0.48 }),
  },
  {
    id: '10',
    what: 'sender+listener CPU/GB, TLS',
    ...versus('openssh-aes128gcm', 'tls', bulk(), 'clientCpu', { first: 1.05, goal: 0.8 }),
  },
  {
    id: '11a',
    what: 'ping-pong p50',
    ...versus('node-pipe', 'plain', ping, 'p50', { first: 1.15, goal: 1 }),
  },
  {
    id: '11b',
    what: 'ping-pong p99',
    ...versus('node-pipe', 'plain', ping, 'p99', { first: 1.75, goal: 1.1 }),
  },
  { id: '12a', what: 'TLS ping-pong p50', ...versus('haproxy', 'tls', ping, 'p50', { first: 1.2, goal: 1 }) },
  { id: '12b', what: 'TLS ping-pong p99', ...versus('haproxy', 'tls', ping, 'p99', { first: 3, goal: 1.4 }) },
  {
    id: '13a',
    what: 'new streams/s, 50 at once',
    ...versus('ws', 'plain', storm, 'perSecond', { first: 1.35, goal: 2 }),
  },
  {
    id: '13b',
    what: 'new streams/s, 50 at once, TLS',
    ...versus('ws', 'tls', storm, 'perSecond', { first: 1.35, goal: 2 }),
  },
  bare('13n', 'node-pipe', storm, 'perSecond', 'ws'),
  bare('13h', 'haproxy', storm, 'perSecond', 'ws'),
  {
    id: '14a',
    what: 'new stream each 20 ms, TLS, p50',
    ...versus('haproxy', 'tls', paced, 'p50', { first: 2.2, goal: 1.4 }),
  },
  {
    id: '14b',
    what: 'new stream each 20 ms, native, p50',
    ...versus('haproxy', 'tls', paced, 'p50', { goal: 0.15, path: 'ours-native' }),
  },
  {
    id: '15',
    what: 'new streams/s, native',
    ...versus('haproxy', 'tls', storm, 'perSecond', { goal: 4, path: 'ours-native' }),
  },
  {
    id: '16',
    what: 'ping-pong p99 beside bulk : idle',
    ...alone({ kind: 'ping', besideBulk: true }, 'p99', 'lower', { against: ping, first: 5, goal: 2 }),
  },
  bare('16h', 'haproxy', { kind: 'ping', besideBulk: true }, 'p99', ping),
  bare('16n', 'node-pipe', { kind: 'ping', besideBulk: true }, 'p99', ping),
  {
    id: '17a',
    what: '1,000 idle streams, MiB a client',
    ...alone(idle(1000), 'clientMiB', 'lower', { first: 30, goal: 18, rounds: 3 }),
  },
  {
    id: '17b',
    what: '1,000 idle streams, MiB, TLS',
    ...versus('ws', 'tls', idle(1000), 'clientMiB', { first: 0.8, goal: 0.55, rounds: 3 }),
  },
  // The sender alone: a client of TLS, as both of ours are; the listener of plain pipes is a server of it.
  bare('17n', 'node-pipe', idle(1000), 'senderMiB', 'ws', 'tls'),
  {
    id: '18a',
    what: 'a stalled reader, MiB a process',
    ...alone(stall(1), 'worstMiB', 'lower', { first: 64, goal: 4, rounds: 3 }),
  },
  {
    id: '18b',
    what: '16 stalled readers, MiB a stream',
    ...alone(stall(16), 'worstMiBPerStream', 'lower', { goal: 4, rounds: 3 }),
  },
  ...[1000, 5000].flatMap((streams, index): Figure[] => {
    const [suffix, goals] = [
      index === 0 ? '' : 'x',
      (at: number) => (index === 0 ? { first: at } : { goal: at }),
    ];
    const beside = (count: number): Workload => ({ kind: 'ping', besideIdle: count });
    return [
      {
        id: `19a${suffix}`,
        what: `${streams} : 10 streams, MB/s`,
        ...alone(bulk(streams), mb, 'higher', { against: bulk(10), ...goals(flat.throughput), ...scaling }),
      },
      {
        id: `19b${suffix}`,
        what: `ping-pong p50 beside ${streams} : 10`,
        ...alone(beside(streams), 'p50', 'lower', {
          against: beside(10),
          ...goals(flat.latency),
          ...scaling,
        }),
      },
      {
        id: `19c${suffix}`,
        what: `memory a stream, ${streams} : 100`,
        ...alone(idle(streams), 'worstMiBPerStream', 'lower', {
          against: idle(100),
          ...goals(flat.memory),
          ...scaling,
        }),
      },
    ];
  }),
  bare('19n', 'node-pipe', bulk(1000), mb, bulk(10)),
  bare('19h', 'haproxy', bulk(1000), mb, bulk(10)),
  ...['--version', '--help'].map((flag, index): Figure => ({
    id: `20${'ab'[index]}`,
    what: `hcm ${flag} : node -e 0`,
    metric: 'ms',
    of: { path: 'ours', legs: 'plain', workload: command('hcm', flag) },
    against: node,
    better: 'lower',
    first: 5,
    goal: 2,
  })),
  {
    id: '21',
    what: 'hcm namespace list to its first request : node -e 0',
    metric: 'ms',
    of: { path: 'ours', legs: 'plain', workload: { kind: 'azure-command', args: ['namespace', 'list'] } },
    against: node,
    better: 'lower',
    first: 10,
    goal: 4,
  },
  {
    id: '22',
    what: 'emulator to ready, ms',
    ...alone({ kind: 'emulator-start' }, 'ms', 'lower', { first: 150, goal: 40 }),
  },
  ...http('23', 'requests/s, 50 at once', get(50), 'perSecond'),
  ...http('24', 'p50, one at a time', get(1), 'p50'),
  ...http('24t', 'p99, one at a time', get(1), 'p99'),
  ...http('25', 'an answer of 100 MB, MB/s', httpBulk('down'), mb),
  ...http('25u', 'a body of 100 MB, MB/s', httpBulk('up'), mb),
];
