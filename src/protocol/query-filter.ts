/**
 * The query string on its way through the relay: pairs whose name starts with `sb-hc-` are the relay's own and
 * are removed, everything else is kept to the letter. Also the decoding of query text that the room shares.
 */

const RESERVED_PREFIX = 'sb-hc-';

/**
 * Removes the relay's own pairs from a query, as the service and the .NET client (ReadAndFilterQueryString) do.
 * A part without `=` is a value and stays, even when it starts with `sb-hc-`. Escapes, empty parts and repeats stay.
 * @param query with or without the leading `?`; the answer never has one.
 */
export function filterQuery(query: string): string {
  const text = query.startsWith('?') ? query.slice(1) : query;
  return text
    .split('&')
    .filter((part) => !isReservedPair(part))
    .join('&');
}

function isReservedPair(part: string): boolean {
  const equals = part.indexOf('=');
  if (equals < 0) return false;
  return decodeQueryText(part.slice(0, equals)).toLowerCase().startsWith(RESERVED_PREFIX);
}

/** The pairs of a query, names lower-cased, both sides decoded; the first of several equal names wins. */
export function queryPairs(query: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const part of query.split('&')) {
    const equals = part.indexOf('=');
    if (equals < 0) continue;
    const name = decodeQueryText(part.slice(0, equals)).toLowerCase();
    if (!pairs.has(name)) pairs.set(name, decodeQueryText(part.slice(equals + 1)));
  }
  return pairs;
}

/** Decodes `+` and percent escapes. Never throws: escapes that are not UTF-8 stay as they are. */
export function decodeQueryText(text: string): string {
  return decodePercent(text.replaceAll('+', ' '));
}

/** Decodes percent escapes only. Never throws: each run of escapes that is not UTF-8 stays as it is. */
export function decodePercent(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run);
    } catch {
      return run;
    }
  });
}
