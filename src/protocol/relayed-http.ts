/**
 * What of an HTTP message may cross the relay: which of a sender's headers become `requestHeaders`, which of a
 * listener's `responseHeaders` reach the sender, and the two things that JSON headers lose (framing, repeated lines).
 * Rules from Microsoft's Hybrid Connections protocol guide, "Request operation", and from its clients. Texts only:
 * nothing here reads or writes a message.
 */
import { RELAY_HEADERS } from './headers.ts';

/**
 * Headers of one connection, lower case: they cross in neither direction. `close` is on Microsoft's list although it
 * is no header. `Content-Length` is no such header, but is the relay's own to write, and is taken out besides.
 */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'close'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
]);

const CONTENT_LENGTH = 'content-length';

export interface RequestHeaderRules {
  /** The relay's name in `Via`: the host of the namespace, without port. */
  readonly viaHost: string;
  /** True when `Authorization` was the token for the relay; otherwise it is the application's, and stays. */
  readonly consumesAuthorization: boolean;
}

/**
 * The headers of a request message: names as first sent, repeats joined with `, `. `Host` stays (Microsoft's list
 * takes it out, every message seen has it). `Expect` is answered by the relay, and done with.
 * @param rawHeaders names and values in turn, as in Node's `IncomingMessage.rawHeaders`.
 */
export function requestHeadersOf(
  rawHeaders: readonly string[],
  { viaHost, consumesAuthorization }: RequestHeaderRules,
): Record<string, string> {
  const kept = new HeaderLines();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const folded = name.toLowerCase();
    if (HOP_BY_HOP.has(folded) || folded === CONTENT_LENGTH || folded === 'expect') continue;
    if (folded === RELAY_HEADERS.authorization.toLowerCase()) continue;
    if (folded === 'authorization' && consumesAuthorization) continue;
    kept.add(name, rawHeaders[at + 1] ?? '');
  }
  kept.add('Via', via(viaHost));
  return kept.toObject();
}

export interface ResponseHeaderRules {
  readonly viaHost: string;
  /** The answer has no body whatever its headers say (HEAD, 304): `Content-Length` tells of another answer, and stays. */
  readonly withoutBody: boolean;
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What would end a header line, or is no text: all controls but the tab (RFC 9110, 5.5). */

const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/**
 * The headers that a listener's answer has for the sender. A header whose name is none, or whose value holds a control
 * character, is left out: it could end its line. Characters that Latin-1 does not have become `?`.
 */
export function responseHeadersOf(
  headers: Readonly<Record<string, string>>,
  { viaHost, withoutBody }: ResponseHeaderRules,
): Record<string, string> {
  const kept = new HeaderLines();
  for (const [name, value] of Object.entries(headers)) {
    const folded = name.toLowerCase();
    if (HOP_BY_HOP.has(folded) || !NAME.test(name) || CONTROLS.test(value)) continue;
    if (folded === CONTENT_LENGTH && !(withoutBody && /^\d{1,15}$/.test(value))) continue;
    kept.add(name, value.replace(/[^\u0000-\u00ff]/gu, '?').trim());
  }
  kept.add('Via', via(viaHost));
  return kept.toObject();
}

/** The size that the limit of 32 kB is about: names and values. */
export function headerBytes(headers: Readonly<Record<string, string>> | readonly string[]): number {
  const texts = Array.isArray(headers) ? (headers as readonly string[]) : Object.entries(headers).flat();
  return texts.reduce((total, text) => total + text.length, 0);
}

/** True for statuses that a listener may answer with: 200 to 599, those without a name too (seen from the service). */
export function isResponseStatus(status: number): boolean {
  return status >= 200 && status <= 599;
}

/** True when an answer has no body, whatever the listener sends (RFC 9110, 6.4.1). */
export function isWithoutBody(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

/**
 * Cookies that crossed the relay as one line, apart again. A comma begins a new cookie when a name and `=` follow it:
 * the one inside a date of `Expires` does not.
 */
export function splitSetCookie(joined: string): string[] {
  return joined
    .split(/,(?=\s*[^\s=;,]+\s*=)/)
    .map((cookie) => cookie.trim())
    .filter((cookie) => cookie !== '');
}

function via(host: string): string {
  return `1.1 ${host}`;
}

/** Headers by name without case; the first spelling stays, repeats are joined, as the service does. */
class HeaderLines {
  readonly #lines = new Map<string, { name: string; value: string }>();

  add(name: string, value: string): void {
    const folded = name.toLowerCase();
    const earlier = this.#lines.get(folded);
    if (earlier === undefined) this.#lines.set(folded, { name, value });
    else earlier.value = `${earlier.value}, ${value}`;
  }

  toObject(): Record<string, string> {
    // fromEntries makes own properties even of `__proto__`.
    return Object.fromEntries([...this.#lines.values()].map(({ name, value }) => [name, value]));
  }
}
