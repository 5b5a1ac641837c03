/** The chosen connection: what it is, why it is so, what can be done, and what it carries. */
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ConnectionView } from '../../../src/manager/control/operations.ts';
import { formatBytes, formatCount, formatMs } from '../model/format.ts';
import { formatRoute } from '../model/route.ts';
import { api, type ApiError } from '../net/api.ts';
import type { ConnectionCell } from '../state/connection-cell.ts';
import { useSelected, useValue } from '../state/value.ts';
import { AcceptDialog } from './accept-dialog.tsx';
import { Charts } from './charts.tsx';
import { ConnectionErrors } from './connection-errors.tsx';
import { LeadsTo } from './connection-row.tsx';
import { Symbol } from './icons.tsx';
import { LogLines } from './log-view.tsx';
import { usePage } from './page-context.ts';
import { Remedy } from './remedy.tsx';
import { RemoveDialog } from './remove-dialog.tsx';
import { StateBadge } from './state-badge.tsx';
import { StreamsTable } from './streams-table.tsx';
import { TestDialog } from './test-dialog.tsx';
import { Ago, Until } from './text.tsx';

export function ConnectionDetailsView({ id }: { id: string }) {
  const { feed } = usePage();
  const cell = useSelected(feed.cells, (cells) => cells?.get(id));
  if (!cell) return <Missing id={id} />;
  return <Details key={id} id={id} cell={cell} />;
}

function Missing({ id }: { id: string }) {
  const back = useRef<HTMLAnchorElement>(null);
  useLayoutEffect(() => {
    // What had the focus went with the connection.
    if (document.activeElement === document.body) back.current?.focus();
  }, []);
  return (
    <section class="details missing" aria-labelledby="details-title">
      <h1 id="details-title">No such connection</h1>
      <p>
        The manager has no <code>{id}</code>; it was removed, or its file names it no more.
      </p>
      <a ref={back} class="button" href={formatRoute({ view: 'connections' })}>
        <Symbol name="back" /> All connections
      </a>
    </section>
  );
}

type Asked = 'test' | 'accept' | 'remove' | undefined;

function Details({ id, cell }: { id: string; cell: ConnectionCell }) {
  const { feed } = usePage();
  const view = useValue(cell.view);
  const details = useValue(feed.details);
  const known = details?.id === id ? details : undefined;
  const [asked, setAsked] = useState<Asked>();
  const test = useRef<HTMLButtonElement>(null);
  const close = () => setAsked(undefined);
  return (
    <section class="details" aria-labelledby="details-title">
      <a class="back" href={formatRoute({ view: 'connections' })}>
        <Symbol name="back" /> All connections
      </a>
      <div class="details-head">
        <div class="title">
          <h1 id="details-title">{view.connection}</h1>
          <p class="sub">
            <StateBadge state={view.state} />
            <span class="muted">
              for <Ago time={view.since} />
            </span>
            <span class="role">{view.role}</span>
            <span>
              <LeadsTo view={view} />
            </span>
          </p>
        </div>
        <Actions id={id} view={view} ask={setAsked} test={test} />
      </div>
      {view.reason && (
        <div class="banner" data-state={view.state}>
          <Symbol name="warning" />
          <div>
            <Remedy trouble={view.reason}>
              {view.retryAt !== undefined && (
                <p class="muted">
                  It tries again <Until time={view.retryAt} />.
                </p>
              )}
            </Remedy>
          </div>
        </div>
      )}
      <Charts id={id} />
      <Numbers view={view} />
      <StreamsTable streams={known?.streams} open={view.openStreams} />
      <ConnectionErrors errors={known?.errors} />
      <section class="panel" aria-labelledby="details-log">
        <h2 id="details-log">Log</h2>
        <LogLines id={id} text="" label={`Log of ${view.connection}`} />
      </section>
      {asked === 'test' && <TestDialog id={id} connection={view.connection} onClose={close} />}
      {asked === 'accept' && <AcceptDialog view={view} beside={test} onClose={close} />}
      {asked === 'remove' && <RemoveDialog view={view} onClose={close} />}
    </section>
  );
}

interface ActionsProps {
  id: string;
  view: ConnectionView;
  ask: (what: Asked) => void;
  test: RefObject<HTMLButtonElement | null>;
}

function Actions({ id, view, ask, test }: ActionsProps) {
  const page = usePage();
  const [restarting, setRestarting] = useState(false);
  const restart = async () => {
    setRestarting(true);
    try {
      await api.restart(id);
      page.say(`${view.connection} is opened anew.`);
    } catch (error) {
      const { message, next } = error as ApiError;
      page.complain(message, next);
    }
    void page.feed.refresh();
    setRestarting(false);
  };
  const fromFile = view.source === 'file';
  return (
    <div class="actions" role="group" aria-label={`What to do with ${view.connection}`}>
      {!fromFile && view.unconfirmedTarget !== undefined && (
        <button type="button" class="button primary" aria-haspopup="dialog" onClick={() => ask('accept')}>
          <Symbol name="accept" /> Accept target
        </button>
      )}
      <button ref={test} type="button" class="button" aria-haspopup="dialog" onClick={() => ask('test')}>
        <Symbol name="test" /> Test
      </button>
      <button
        type="button"
        class="button"
        aria-disabled={restarting}
        onClick={() => void (restarting || restart())}
      >
        <Symbol name="restart" /> {restarting ? 'Restarting …' : 'Restart'}
      </button>
      {fromFile ? (
        <p class="muted aside">It stands in the manager’s file; change it there.</p>
      ) : (
        <button type="button" class="button danger" aria-haspopup="dialog" onClick={() => ask('remove')}>
          <Symbol name="remove" /> Remove
        </button>
      )}
    </div>
  );
}

function Numbers({ view }: { view: ConnectionView }) {
  const { setUpMs } = view;
  const numbers: readonly (readonly [string, string])[] = [
    ['Streams opened', formatCount(view.opened)],
    ['Refused', formatCount(view.refused)],
    ['Reconnected', formatCount(view.reconnects)],
    ['Wanted by', view.source === 'file' ? 'the file' : 'hcm add'],
    ['In, in all', formatBytes(view.bytesIn)],
    ['Out, in all', formatBytes(view.bytesOut)],
    ['Time to open, median', setUpMs ? formatMs(setUpMs.p50) : '–'],
    ['Time to open, 99 %', setUpMs ? formatMs(setUpMs.p99) : '–'],
  ];
  return (
    <dl class="numbers">
      {numbers.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
