/** Pages of a list: `$top` or the page size that was set, `$skip`, and the nextLink that leads on. Pure. */
import type { ArmAnswer } from './router.ts';

export function pageOf(answer: ArmAnswer, url: URL, pageSize: number | undefined): ArmAnswer {
  const { value } = (answer.body ?? {}) as { value?: unknown };
  if (answer.status !== 200 || !Array.isArray(value)) return answer;
  const skip = numberOf(url, '$skip') ?? 0;
  const top = numberOf(url, '$top') ?? Infinity;
  const size = Math.min(top, pageSize ?? Infinity);
  const items: unknown[] = value.slice(skip, skip + size);
  if (items.length === value.length) return answer;
  const next = new URL(url);
  // What follows counts as one list with this page: a `$top` is used up by it.
  next.searchParams.set('$skip', String(skip + items.length));
  const isMore = items.length > 0 && skip + items.length < value.length;
  const more = isMore ? { nextLink: next.href } : {};
  return { ...answer, body: { ...(answer.body as object), value: items, ...more } };
}

function numberOf(url: URL, name: string): number | undefined {
  const text = url.searchParams.get(name) ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
