/** Throughput and time to open over time, of one connection or of all, and the same as a table. */
import { useState } from 'preact/hooks';
import { formatMs, formatRate, formatTime } from '../model/format.ts';
import { timelineOf, type Timeline } from '../model/history.ts';
import { useValue } from '../state/value.ts';
import { Chart } from './chart.tsx';
import { usePage } from './page-context.ts';

const SPANS = [
  { seconds: 180, label: '3 min' },
  { seconds: 900, label: '15 min' },
  { seconds: 3_600, label: '1 h' },
] as const;
const TABLE_ROWS = 12;
/** Less than this fills no axis. */
const QUIET_BYTES = 1_000;
const QUIET_MS = 10;

/** `id` undefined: all connections together. */
export function Charts({ id }: { id?: string }) {
  const { feed } = usePage();
  useValue(feed.beat);
  const [seconds, setSeconds] = useState<number>(SPANS[0].seconds);
  const sinceMs = feed.now() - seconds * 1000;
  const ids = id === undefined ? [...new Set([...feed.coarse.ids, ...feed.fine.ids])] : [id];
  const timeline = timelineOf(feed.coarse, feed.fine, ids, sinceMs);
  return (
    <section class="charts" aria-label={id === undefined ? 'Traffic of all connections' : 'Traffic'}>
      {id !== undefined && <h2>Traffic</h2>}
      <div class="chips" role="group" aria-label="Time shown">
        {SPANS.map((span) => (
          <button
            key={span.seconds}
            type="button"
            class="chip"
            aria-pressed={span.seconds === seconds}
            onClick={() => setSeconds(span.seconds)}
          >
            {span.label}
          </button>
        ))}
      </div>
      <div class="chart-grid" data-charts={id === undefined ? 1 : 2}>
        <Chart
          title="Throughput"
          level={id === undefined ? 2 : 3}
          times={timeline.times}
          spanSeconds={seconds}
          format={formatRate}
          formatAxis={(value) => rounded(formatRate(value))}
          atLeast={QUIET_BYTES}
          series={[
            { name: 'In', colour: '--in', values: timeline.bytesIn },
            { name: 'Out', colour: '--out', dashed: true, values: timeline.bytesOut },
          ]}
        />
        {id !== undefined && (
          <Chart
            title="Time to open a stream"
            level={3}
            times={timeline.times}
            spanSeconds={seconds}
            format={formatMs}
            formatAxis={(value) => rounded(formatMs(value))}
            atLeast={QUIET_MS}
            series={[{ name: 'Median', colour: '--open', points: true, values: timeline.setUpMs }]}
          />
        )}
      </div>
      <AsTable timeline={timeline} withSetUp={id !== undefined} />
    </section>
  );
}

function AsTable({ timeline, withSetUp }: { timeline: Timeline; withSetUp: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="as-table" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>The same as a table</summary>
      {open && (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Until</th>
              <th scope="col">In</th>
              <th scope="col">Out</th>
              {withSetUp && <th scope="col">Time to open</th>}
            </tr>
          </thead>
          <tbody>
            {rowsOf(timeline).map((row) => (
              <tr key={row.time}>
                <th scope="row">{formatTime(new Date(row.time * 1000).toISOString(), Date.now())}</th>
                <td>{text(row.in, formatRate)}</td>
                <td>{text(row.out, formatRate)}</td>
                {withSetUp && <td>{text(row.setUp, formatMs)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  );
}

/** Round numbers need no zeros behind the point. */
function rounded(text: string): string {
  return text.replace(/\.0+ |(\.\d*[1-9])0+ /, '$1 ');
}

/** The newest first, each the mean of a stretch of the time shown. */
function rowsOf({ times, bytesIn, bytesOut, setUpMs }: Timeline) {
  const size = Math.max(Math.ceil(times.length / TABLE_ROWS), 1);
  const rows = [];
  for (let end = times.length; end > 0; end -= size) {
    const cut = (values: readonly (number | null)[]) => meanOf(values.slice(Math.max(end - size, 0), end));
    rows.push({ time: times[end - 1] ?? 0, in: cut(bytesIn), out: cut(bytesOut), setUp: cut(setUpMs) });
  }
  return rows;
}

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function text(value: number | null, format: (value: number) => string): string {
  return value === null ? '–' : format(value);
}
