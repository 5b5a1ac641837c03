/** Texts with code in them, and times that tick by themselves. */
import type { ComponentChildren } from 'preact';
import { formatDuration, formatTime } from '../model/format.ts';
import { useSelected } from '../state/value.ts';
import { usePage } from './page-context.ts';

/** What stands in backquotes is code. */
export function Prose({ text }: { text: string }) {
  return (
    <>
      {text
        .split(/`([^`]+)`/)
        .map((part, at): ComponentChildren => (at % 2 === 1 ? <code key={at}>{part}</code> : part))}
    </>
  );
}

/** How long ago; draws only when its text changes. */
export function Ago({ time }: { time: string }) {
  const { feed } = usePage();
  const text = useSelected(feed.nowMs, (nowMs) => formatDuration(nowMs - Date.parse(time)));
  return (
    <time dateTime={time} title={formatTime(time, Date.now())}>
      {text}
    </time>
  );
}

/** How long until then; `now` when it is over. */
export function Until({ time }: { time: string }) {
  const { feed } = usePage();
  const text = useSelected(feed.nowMs, (nowMs) => {
    const leftMs = Date.parse(time) - nowMs;
    return leftMs <= 0 ? 'now' : `in ${formatDuration(leftMs + 999)}`;
  });
  return <time dateTime={time}>{text}</time>;
}

export function Clock({ time }: { time: string }) {
  return <time dateTime={time}>{formatTime(time, Date.now())}</time>;
}
