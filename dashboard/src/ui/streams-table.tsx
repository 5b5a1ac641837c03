/** The open streams of a connection. A thousand of them are not drawn each second: more come on demand. */
import { useRef, useState } from 'preact/hooks';
import type { StreamView } from '../../../src/manager/control/operations.ts';
import { formatBytes, formatCount, formatDuration } from '../model/format.ts';
import { usePage } from './page-context.ts';

const SHOWN_FIRST = 25;
const SHOWN_MORE = 100;

type Order = 'newest' | 'oldest' | 'largest';

interface TableProps {
  /** Undefined: not known yet. */
  streams: readonly StreamView[] | undefined;
  open: number;
}

export function StreamsTable({ streams: known, open }: TableProps) {
  const { feed } = usePage();
  const [order, setOrder] = useState<Order>('newest');
  const [shown, setShown] = useState(SHOWN_FIRST);
  const place = useRef<HTMLDivElement>(null);
  const streams = known ?? [];
  const nowMs = feed.now();
  const rows = sorted(streams, order).slice(0, shown);
  const showMore = () => {
    setShown(shown + SHOWN_MORE);
    // With the last ones the button goes.
    if (shown + SHOWN_MORE >= streams.length) place.current?.focus({ preventScroll: true });
  };
  return (
    <section class="panel" aria-labelledby="streams-title">
      <div class="panel-head">
        <h2 id="streams-title">
          Open streams <span class="muted">{formatCount(open)}</span>
        </h2>
        {streams.length > 1 && (
          <label class="choice">
            <span class="muted">Order</span>
            <select value={order} onChange={({ currentTarget }) => setOrder(currentTarget.value as Order)}>
              <option value="newest">Newest first</option>
              <option value="oldest">Oldest first</option>
              <option value="largest">Most bytes first</option>
            </select>
          </label>
        )}
      </div>
      {streams.length === 0 ? (
        <p class="muted rest">{known ? 'None now.' : 'Asking the manager …'}</p>
      ) : (
        <div ref={place} class="scroll" role="region" aria-label="Table of open streams" tabIndex={0}>
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Stream</th>
                <th scope="col">From</th>
                <th scope="col">Target</th>
                <th scope="col" class="number">
                  Age
                </th>
                <th scope="col" class="number">
                  In
                </th>
                <th scope="col" class="number">
                  Out
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((stream) => (
                <tr key={stream.stream}>
                  <th scope="row" class="mono" title={stream.stream}>
                    {shortened(stream.stream)}
                  </th>
                  <td class="mono">{stream.remote ?? '–'}</td>
                  <td class="mono">{stream.target ?? '–'}</td>
                  <td class="number">{formatDuration(nowMs - Date.parse(stream.since))}</td>
                  <td class="number">{formatBytes(stream.bytesIn)}</td>
                  <td class="number">{formatBytes(stream.bytesOut)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {streams.length > rows.length && (
        <button type="button" class="button" onClick={showMore}>
          Show more ({formatCount(streams.length - rows.length)} are not shown)
        </button>
      )}
    </section>
  );
}

function sorted(streams: readonly StreamView[], order: Order): StreamView[] {
  const bytes = ({ bytesIn, bytesOut }: StreamView) => bytesIn + bytesOut;
  switch (order) {
    case 'newest':
      return streams.toSorted((a, b) => b.since.localeCompare(a.since));
    case 'oldest':
      return streams.toSorted((a, b) => a.since.localeCompare(b.since));
    case 'largest':
      return streams.toSorted((a, b) => bytes(b) - bytes(a));
  }
}

function shortened(id: string): string {
  return id.length > 13 ? `${id.slice(0, 12)}…` : id;
}
