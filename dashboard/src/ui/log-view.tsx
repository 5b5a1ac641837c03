/** The newest lines of the log as they come, of all connections or of one, and only those with a text. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { formatTime } from '../model/format.ts';
import { wants } from '../model/log-lines.ts';
import { useValue } from '../state/value.ts';
import { Symbol } from './icons.tsx';
import { usePage } from './page-context.ts';

const SHOWN = 300;
/** So near to the end counts as reading along. */
const AT_END_PX = 24;

export function LogView() {
  const { feed } = usePage();
  const cells = useValue(feed.cells) ?? new Map<string, never>();
  const [id, setId] = useState('');
  /** One that was chosen stays, even when the manager has it no more. */
  const ids = new Set([...cells.keys(), ...(id === '' ? [] : [id])]);
  const [text, setText] = useState('');
  return (
    <section class="panel log-view" aria-labelledby="log-title">
      <div class="panel-head">
        <h1 id="log-title">Log</h1>
        <div class="filters">
          <label class="choice">
            <span class="muted">Connection</span>
            <select value={id} onChange={({ currentTarget }) => setId(currentTarget.value)}>
              <option value="">All</option>
              {[...ids].map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </label>
          <label class="search">
            <Symbol name="search" />
            <span class="unseen">Only lines with</span>
            <input
              type="search"
              placeholder="Only lines with …"
              value={text}
              onInput={({ currentTarget }) => setText(currentTarget.value)}
            />
          </label>
        </div>
      </div>
      <LogLines id={id === '' ? undefined : id} text={text} label="Log of the manager" />
    </section>
  );
}

export function LogLines({ id, text, label }: { id: string | undefined; text: string; label: string }) {
  const { feed } = usePage();
  const all = useValue(feed.log.lines);
  const list = useRef<HTMLOListElement>(null);
  const [follows, setFollows] = useState(true);
  const lines = all.filter((line) => wants(line, id, text)).slice(-SHOWN);
  const lastKey = lines.at(-1)?.key;
  const followAgain = () => {
    // The button goes.
    list.current?.focus({ preventScroll: true });
    setFollows(true);
  };
  const toEnd = () => list.current?.scrollTo({ top: list.current.scrollHeight });
  useEffect(() => {
    if (follows) toEnd();
  }, [lastKey, follows, id, text]);
  const look = () => {
    const { scrollHeight = 0, scrollTop = 0, clientHeight = 0 } = list.current ?? {};
    setFollows(scrollHeight - scrollTop - clientHeight < AT_END_PX);
  };
  return (
    <div class="log">
      {lines.length === 0 ? (
        <p class="muted rest">No such lines.</p>
      ) : (
        // No live region: it is for reading when one likes, not for being read aloud all the time.
        <ol ref={list} class="lines" tabIndex={0} aria-label={label} onScroll={look}>
          {lines.map((line) => (
            <li key={line.key} data-level={line.level}>
              <time dateTime={line.time}>{formatTime(line.time, Date.now())}</time> <b>{line.event}</b>{' '}
              {id === undefined && line.id !== undefined && <span class="line-id">{line.id} </span>}
              <span class="about">{line.about}</span>
            </li>
          ))}
        </ol>
      )}
      {!follows && lines.length > 0 && (
        <button type="button" class="button to-end" onClick={followAgain}>
          <Symbol name="in" /> Newest
        </button>
      )}
    </div>
  );
}
