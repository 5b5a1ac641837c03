// What the relay does to HTTP, as tables: what was observed of Azure's (queries, statuses and headers from Microsoft's own
// integration tests and protocol guide), for any listener behind ours. Rows, no requests.
import { STATUS_CODES } from 'node:http';

/** Queries as sent and as a listener sees them. Raw quotes and spaces are for pure tests: node:http refuses to send them. */
export const QUERIES: readonly (readonly [sent: string, seen: string])[] = [
  ['', ''],
  ['?sb-hc-id=1', ''],
  ['?custom=value&sb-hc-id=1', '?custom=value'],
  ['?sb-hc-id=1&custom=value', '?custom=value'],
  ['?a=1&sb-hc-id=1&b=2', '?a=1&b=2'],
  ['?sb-hc-undefined=true', ''],
  ['?sb-hc-whatever=', ''],
  ['?SB-HC-Id=1&a', '?a'],
  ['?%73b-hc-id=1&a=1', '?a=1'],
  ['?sb-hc-undefined', '?sb-hc-undefined'], // without `=` it is a value
  ['?a=sb-hc-id', '?a=sb-hc-id'],
  ['?xsb-hc-id=1', '?xsb-hc-id=1'],
  ['?a=1&a=2&', '?a=1&a=2&'],
  ['?&&&', '?&&&'],
  ['?&foo=bar', '?&foo=bar'],
  ['?&&value&&', '?&&value&&'],
  ['?+', '?+'],
  ['?%2B', '?%2B'],
  ['?%20', '?%20'],
  ['?%2f%3a%3d%26', '?%2f%3a%3d%26'],
  ['?name=%C3%B8', '?name=%C3%B8'],
  ['?a=1?b=2', '?a=1?b=2'],
];

/** All that a listener may answer with. */
export const STATUSES: readonly number[] = Array.from({ length: 400 }, (_, at) => 200 + at);

/** The phrase that goes with a status when the handler gives none; another server's table may say it otherwise. */
export function standardPhrase(status: number): string | undefined {
  return STATUS_CODES[status];
}

/** Phrases travel to the letter. */
export const PHRASES = ['OK', 'Not what you think', 'With (marks): 100%, "quoted"', 'x'.repeat(300)];

/** A header as sent, and what the listener sees of it. */
export const REQUEST_HEADERS: readonly (readonly [
  name: string,
  sent: string | readonly string[],
  seen: string | undefined,
])[] = [
  ['Keep-Alive', 'timeout=5', undefined],
  ['Proxy-Connection', 'keep-alive', undefined],
  ['TE', 'trailers', undefined],
  ['Trailer', 'X-Sum', undefined],
  ['Close', '1', undefined],
  ['Accept', 'text/html', 'text/html'],
  ['Accept', ['text/html', 'text/plain'], 'text/html, text/plain'],
  ['X-List', ['one', 'two, three'], 'one, two, three'],
  ['X-Empty', '', ''],
  ['Authorization', 'Basic dXNlcjpwYXNz', 'Basic dXNlcjpwYXNz'], // the token is elsewhere: it is the application's
  ['Cookie', 'a=1; b=2', 'a=1; b=2'],
  ['Content-Type', 'text/plain', 'text/plain'],
  ['Content-Encoding', 'identity', 'identity'],
  ['Origin', 'https://example.test', 'https://example.test'],
  ['X-Forwarded-For', '192.0.2.7', '192.0.2.7'],
  ['Via', '1.0 first', '1.0 first, 1.1 localhost'],
  ['X-Anything', 'a "b" (c) \\', 'a "b" (c) \\'],
];

/** A header that the handler sets, and what the sender gets of it; hop-by-hop ones would speak of another connection. */
export const ANSWER_HEADERS: readonly (readonly [name: string, set: string, got: string | undefined])[] = [
  ['Connection', 'close', undefined],
  ['Keep-Alive', 'timeout=77', undefined],
  ['Trailer', 'X-Sum', undefined],
  ['Upgrade', 'h2c', undefined],
  ['Content-Type', 'text/plain; charset=utf-8', 'text/plain; charset=utf-8'],
  ['ETag', 'W/"x"', 'W/"x"'],
  ['Location', '/elsewhere?a=b#c', '/elsewhere?a=b#c'],
  ['Set-Cookie', 'a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT', 'a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT'],
  ['Content-Encoding', 'identity', 'identity'],
  ['X-Anything', 'a "b" (c) \\', 'a "b" (c) \\'],
  ['Via', '1.1 inner', '1.1 inner, 1.1 localhost'],
];

/** Answers that have no body whatever the handler writes. */
export const BODILESS: readonly (readonly [method: string, status: number, written: number])[] = [
  ['HEAD', 200, 0],
  ['HEAD', 200, 100],
  ['HEAD', 200, 65_536],
  ['HEAD', 200, 100_000],
  ['HEAD', 404, 10],
  ['GET', 204, 0],
  ['GET', 204, 100],
  ['GET', 304, 0],
  ['GET', 304, 100],
  ['POST', 204, 0],
];
