/** One connection in the list: its state and why, where it leads, what flows. */
import type { ConnectionView } from '../../../src/manager/control/operations.ts';
import { formatCount, formatRate } from '../model/format.ts';
import { formatRoute } from '../model/route.ts';
import { passes } from '../model/states.ts';
import type { ConnectionCell } from '../state/connection-cell.ts';
import { useSelected, useValue, type Value } from '../state/value.ts';
import type { Sought } from './connection-list.tsx';
import { Symbol } from './icons.tsx';
import { usePage } from './page-context.ts';
import { sentence, useHelp, type Trouble } from './remedy.tsx';
import { SparkLine } from './spark-line.tsx';
import { StateBadge } from './state-badge.tsx';
import { Prose, Until } from './text.tsx';

interface RowProps {
  id: string;
  cell: ConnectionCell;
  sought: Value<Sought>;
}

export function ConnectionRow({ id, cell, sought }: RowProps) {
  const { route } = usePage();
  const view = useValue(cell.view);
  const { filter, text } = useValue(sought);
  const chosen = useSelected(route, (now) => now.view === 'connection' && now.id === id);
  if (!passes(view, filter, text)) return null;
  return (
    <li class="row" data-state={view.state} data-chosen={chosen}>
      <StateBadge state={view.state} />
      <div class="who">
        <a
          class="row-link"
          href={formatRoute({ view: 'connection', id })}
          aria-label={`${view.connection}, ${view.role}`}
          aria-current={chosen ? 'page' : undefined}
        >
          {view.connection}
        </a>
        <span class="role">{view.role}</span>
      </div>
      <p class="leads">
        <LeadsTo view={view} />
      </p>
      <p class="count">
        <b>{formatCount(view.openStreams)}</b> <span>{view.openStreams === 1 ? 'stream' : 'streams'}</span>
      </p>
      <Flow cell={cell} />
      <SparkLine id={id} />
      {view.reason && <Reason view={view} reason={view.reason} />}
    </li>
  );
}

export function LeadsTo({ view }: { view: ConnectionView }) {
  const { binds, target } = view;
  const text = binds.length > 0 ? binds.join(', ') : target;
  if (text === undefined)
    return <span class="muted">{view.role === 'listener' ? 'target not known yet' : 'not bound'}</span>;
  return (
    <>
      <span class="muted">{binds.length > 0 ? 'at ' : 'to '}</span>
      <span class="mono">{text}</span>
    </>
  );
}

function Flow({ cell }: { cell: ConnectionCell }) {
  const rate = useValue(cell.rate);
  return (
    <p class="flow" data-flows={rate !== undefined && (rate.in > 0 || rate.out > 0)}>
      <span class="flow-in">
        <Symbol name="in" />
        <span class="unseen">in </span>
        {rate ? formatRate(rate.in) : '–'}
      </span>
      <span class="flow-out">
        <Symbol name="out" />
        <span class="unseen">out </span>
        {rate ? formatRate(rate.out) : '–'}
      </span>
    </p>
  );
}

function Reason({ view, reason }: { view: ConnectionView; reason: Trouble }) {
  const help = useHelp()[reason.code];
  const next = reason.next ?? help?.next;
  return (
    <div class="why">
      <p>
        {reason.message}
        {view.retryAt !== undefined && (
          <span class="muted">
            {' · tries again '}
            <Until time={view.retryAt} />
          </span>
        )}
      </p>
      {next && (
        <p class="next">
          <strong>Next</strong> <Prose text={sentence(next)} />
        </p>
      )}
    </div>
  );
}
