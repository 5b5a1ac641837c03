/**
 * The manager for Prometheus: read out of its views when somebody asks, never counted a second time. docs/metrics.md
 * explains each name; a test compares the two.
 */
import type { Metric, Registry } from 'prom-client';
import type { ConnectionView, ManagerView } from './control/operations.ts';
import type { ManagedConnection } from './managed-connection.ts';
import { SET_UP_BOUNDS_MS } from './set-up-times.ts';
import { viewOf } from './views.ts';

/** At the library's own 10 ms, Node's timer for the delay of its loop takes a hundredth of a core for ever. */
const LOOP_DELAY_PRECISION_MS = 60_000;
/** So this coarse it tells nothing; and gauges whose names end as those of counters do. */
const LEFT_OUT = [
  ...['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map(
    (name) => `nodejs_eventloop_lag_${name}_seconds`,
  ),
  ...['handles', 'requests', 'resources'].map((name) => `nodejs_active_${name}_total`),
];

const STATES = [
  'connecting',
  'online',
  'degraded',
  'target-down',
  'waiting',
  'failed',
  'stopped',
] as const satisfies readonly ConnectionView['state'][];

export interface MetricsSource {
  describe(): ManagerView;
  readonly connections: readonly ManagedConnection[];
}

interface Value {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  /** Of a histogram, whose lines have names of their own. */
  readonly metricName?: string;
}

interface Seen {
  readonly view: ConnectionView;
  readonly record: ManagedConnection['record'];
}

interface Scrape {
  readonly manager: ManagerView;
  readonly connections: readonly Seen[];
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly values: (scrape: Scrape) => readonly Value[];
}

const FAMILIES: readonly Family[] = [
  {
    ...gauge('hcm_manager_info', 'Always 1; its label says which version runs.'),
    values: ({ manager }) => [{ value: 1, labels: { version: manager.version } }],
  },
  {
    ...gauge('hcm_manager_start_time_seconds', 'When the manager was started, in seconds since 1970.'),
    values: ({ manager }) => [{ value: seconds(manager.startedAt), labels: {} }],
  },
  {
    ...gauge('hcm_manager_problems', 'What is wrong with the manager itself: its file, its store.'),
    values: ({ manager }) => [{ value: manager.problems.length, labels: {} }],
  },
  {
    ...gauge('hcm_connections', 'Connections by their state.'),
    values: ({ connections }) =>
      STATES.map((state) => ({
        value: connections.filter(({ view }) => view.state === state).length,
        labels: { state },
      })),
  },
  {
    ...gauge('hcm_connection_up', '1: registered at the relay, or bound, whatever becomes of its streams.'),
    values: each(({ view }) => Number(view.state === 'online' || view.state === 'degraded')),
  },
  {
    ...gauge('hcm_connection_state', '1 for the state in which the connection is, 0 for the others.'),
    values: ({ connections }) =>
      connections.flatMap((seen) =>
        STATES.map((state) => ({
          value: Number(seen.view.state === state),
          labels: { ...labelsOf(seen), state },
        })),
      ),
  },
  {
    ...gauge('hcm_connection_state_changed_time_seconds', 'Since when it is so, in seconds since 1970.'),
    values: each(({ view }) => seconds(view.since)),
  },
  {
    ...counter('hcm_connection_reconnects_total', 'How often its control channel was lost.'),
    values: each(({ view }) => view.reconnects),
  },
  {
    ...counter('hcm_connection_errors_total', 'Errors by their code, those of single streams among them.'),
    values: ({ connections }) =>
      connections.flatMap((seen) =>
        [...seen.record.errorCounts].map(([code, value]) => ({ value, labels: { ...labelsOf(seen), code } })),
      ),
  },
  {
    ...gauge('hcm_streams_open', 'Streams that are open now.'),
    values: each(({ view }) => view.openStreams),
  },
  {
    ...counter('hcm_streams_opened_total', 'Streams that found their way.'),
    values: each(({ view }) => view.opened),
  },
  {
    ...counter('hcm_streams_refused_total', 'Streams that were refused or rejected.'),
    values: each(({ view }) => view.refused),
  },
  {
    ...counter('hcm_stream_bytes_total', 'Bytes of streams: in from the relay, out to it.'),
    values: ({ connections }) =>
      connections.flatMap((seen) => [
        { value: seen.view.bytesIn, labels: { ...labelsOf(seen), direction: 'in' } },
        { value: seen.view.bytesOut, labels: { ...labelsOf(seen), direction: 'out' } },
      ]),
  },
  {
    name: 'hcm_stream_setup_seconds',
    help: 'How long the opening of a stream took.',
    type: 'histogram',
    values: ({ connections }) => connections.flatMap(setUpValues),
  },
];

export class Metrics {
  readonly #source: MetricsSource;
  #registry: Promise<Registry> | undefined;
  #scrape: Scrape | undefined;

  constructor(source: MetricsSource) {
    this.#source = source;
  }

  /** In Prometheus' text format. The first call loads the library. */
  async collect(): Promise<{ readonly type: string; readonly text: string }> {
    const registry = await (this.#registry ??= this.#open());
    this.#scrape = {
      manager: this.#source.describe(),
      connections: this.#source.connections.map((managed) => ({
        view: viewOf(managed),
        record: managed.record,
      })),
    };
    return { type: registry.contentType, text: await registry.metrics() };
  }

  async #open(): Promise<Registry> {
    // The bundle gives a CommonJS package its default export alone.
    const { default: prometheus } = await import('prom-client');
    const { collectDefaultMetrics, Registry } = prometheus;
    const registry = new Registry();
    for (const { values, ...about } of FAMILIES) {
      const get = () => {
        const shown = this.#scrape ? values(this.#scrape) : [];
        return Promise.resolve({ ...about, aggregator: 'sum', values: shown });
      };
      // All that a registry asks of a metric; the library's own classes would count for themselves.
      registry.registerMetric({ ...about, get } as unknown as Metric);
    }
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_DELAY_PRECISION_MS });
    for (const name of LEFT_OUT) registry.removeSingleMetric(name);
    return registry;
  }
}

function gauge(name: string, help: string) {
  return { name, help, type: 'gauge' } as const;
}

function counter(name: string, help: string) {
  return { name, help, type: 'counter' } as const;
}

/** One value of each connection. */
function each(valueOf: (seen: Seen) => number): Family['values'] {
  return ({ connections }) => connections.map((seen) => ({ value: valueOf(seen), labels: labelsOf(seen) }));
}

/**
 * As many as there are connections; a file may have two forwards of one, which differ by their ids. No label holds what
 * a stream or somebody far away may choose.
 */
function labelsOf({ view: { id, connection, role } }: Seen) {
  return { id, connection, role };
}

/** Buckets of Prometheus hold what is below them, too. */
function setUpValues(seen: Seen): Value[] {
  const name = 'hcm_stream_setup_seconds';
  const labels = labelsOf(seen);
  const { buckets, count, sumMs } = seen.record.setUp;
  let within = 0;
  const bounded = SET_UP_BOUNDS_MS.map((bound, at) => {
    within += buckets[at] ?? 0;
    return { metricName: `${name}_bucket`, value: within, labels: { ...labels, le: bound / 1_000 } };
  });
  return [
    ...bounded,
    { metricName: `${name}_bucket`, value: count, labels: { ...labels, le: '+Inf' } },
    { metricName: `${name}_sum`, value: sumMs / 1_000, labels },
    { metricName: `${name}_count`, value: count, labels },
  ];
}

function seconds(iso: string): number {
  return Date.parse(iso) / 1_000;
}
