/** All connections. Each row watches its own connection: a change of one draws one row. */
import { useMemo, useRef } from 'preact/hooks';
import type { Filter } from '../model/states.ts';
import { Value, useSelected, useValue } from '../state/value.ts';
import { ConnectionRow } from './connection-row.tsx';
import { Symbol } from './icons.tsx';
import { usePage } from './page-context.ts';

export interface Sought {
  readonly filter: Filter;
  readonly text: string;
}

export function ConnectionList({ onAdd }: { onAdd: () => void }) {
  const { feed } = usePage();
  const cells = useValue(feed.cells) ?? new Map<string, never>();
  const sought = useMemo(() => new Value<Sought>({ filter: 'all', text: '' }), []);
  const rows = useRef<HTMLUListElement>(null);
  if (cells.size === 0) return <Empty onAdd={onAdd} />;
  return (
    <section class="list" aria-labelledby="list-title">
      <div class="list-head">
        <h2 id="list-title">Connections</h2>
        <Filters sought={sought} />
      </div>
      <ul ref={rows} class="rows" onKeyDown={(event) => moveFocus(event, rows.current)}>
        {[...cells].map(([id, cell]) => (
          <ConnectionRow key={id} id={id} cell={cell} sought={sought} />
        ))}
      </ul>
      <p class="none">No connection is like that.</p>
    </section>
  );
}

function Filters({ sought }: { sought: Value<Sought> }) {
  const { feed } = usePage();
  const counts = useValue(feed.counts);
  const { filter, text } = useValue(sought);
  const choices = [
    ['all', 'All'],
    ['online', 'Online'],
    ['trouble', 'Trouble'],
  ] as const;
  return (
    <div class="filters">
      <div class="chips" role="group" aria-label="Show">
        {choices.map(([name, label]) => (
          <button
            key={name}
            type="button"
            class="chip"
            data-filter={name}
            aria-pressed={filter === name}
            onClick={() => sought.set({ ...sought.get(), filter: name })}
          >
            {label} <b>{counts[name]}</b>
          </button>
        ))}
      </div>
      <label class="search">
        <Symbol name="search" />
        <span class="unseen">Find connections</span>
        <input
          type="search"
          placeholder="Find"
          value={text}
          onInput={({ currentTarget }) => sought.set({ ...sought.get(), text: currentTarget.value })}
        />
      </label>
    </div>
  );
}

function Empty({ onAdd }: { onAdd: () => void }) {
  const { route } = usePage();
  const isAlone = useSelected(route, ({ view }) => view === 'connections');
  return (
    <section class="empty" aria-labelledby="empty-title">
      <svg viewBox="0 0 120 48" aria-hidden="true" focusable="false">
        <path
          d="M40 24h40"
          stroke="currentColor"
          stroke-width="3"
          stroke-linecap="round"
          stroke-dasharray="0.1 8"
        />
        <circle cx="22" cy="24" r="12" fill="none" stroke="currentColor" stroke-width="3" />
        <circle
          cx="98"
          cy="24"
          r="12"
          fill="none"
          stroke="currentColor"
          stroke-width="3"
          stroke-dasharray="5 5"
        />
      </svg>
      {isAlone ? <h1 id="empty-title">No connections yet</h1> : <h2 id="empty-title">No connections yet</h2>}
      <p>
        A listener brings a hybrid connection of Azure Relay to a target in this network; a forward gives one
        a port on this machine.
      </p>
      <button type="button" class="button primary" onClick={onAdd} aria-haspopup="dialog">
        <Symbol name="plus" />
        Add the first one
      </button>
      <p class="aside">
        or in a terminal: <code>hcm add --connection-string-file FILE</code>
      </p>
    </section>
  );
}

/** Arrows, Home and End go from row to row; Tab leaves the list as ever. */
function moveFocus(event: KeyboardEvent, list: HTMLElement | null): void {
  const links = [...(list?.querySelectorAll<HTMLElement>('a.row-link') ?? [])];
  const at = links.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
  if (to === undefined || at < 0) return;
  event.preventDefault();
  links[Math.min(Math.max(to, 0), links.length - 1)]?.focus();
}
