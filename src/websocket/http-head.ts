/**
 * The head of an HTTP/1.1 message, as far as a WebSocket handshake needs it: a start line and header fields,
 * bounded in size. Bodies, and everything else of HTTP, belong to node:http.
 */
import { WebSocketError } from './websocket-error.ts';

/** Header names and values in the order and spelling of the wire: name, value, name, value. */
export type RawHeaders = readonly string[];

export interface HttpHead {
  startLine: string;
  rawHeaders: RawHeaders;
  /** The size of the head with its blank line, in bytes; what follows belongs to the next protocol. */
  bytes: number;
}

/** Generous: the relay allows 32 KiB of headers, and a token in the URL beside them. */
export const HEAD_MAX_BYTES = 64 * 1024;

const END_OF_HEAD = '\r\n\r\n';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Undefined while the head is incomplete. Throws WebSocketError when it is malformed or too large. */
export function parseHead(bytes: Buffer): HttpHead | undefined {
  const end = bytes.indexOf(END_OF_HEAD, 0, 'latin1');
  if (end > HEAD_MAX_BYTES || (end < 0 && bytes.length > HEAD_MAX_BYTES)) {
    throw malformed(`the head is larger than ${HEAD_MAX_BYTES} bytes`);
  }
  if (end < 0) return undefined;
  const [startLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const rawHeaders: string[] = [];
  for (const line of lines) readField(line, rawHeaders);
  return { startLine, rawHeaders, bytes: end + END_OF_HEAD.length };
}

function readField(line: string, into: string[]): void {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  let [from, to] = [colon + 1, line.length];
  while (isBlank(line.charCodeAt(from))) from += 1;
  while (to > from && isBlank(line.charCodeAt(to - 1))) to -= 1;
  const value = line.slice(from, to);
  // A space before the colon and a folded line both end up here: neither has a use but smuggling.
  if (!TOKEN.test(name) || !FIELD_VALUE.test(value)) throw malformed('a header line is malformed');
  into.push(name, value);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** All values of a header, in order; names are compared without case. */
export function headerValues(headers: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (isSameName(headers[at] ?? '', name)) values.push(headers[at + 1] ?? '');
  }
  return values;
}

/** Most write a name as everybody does. */
function isSameName(name: string, other: string): boolean {
  return name === other || (name.length === other.length && name.toLowerCase() === other.toLowerCase());
}

/** The items of a comma-separated header, over all its lines. */
export function headerList(headers: RawHeaders, name: string): string[] {
  const items: string[] = [];
  for (const value of headerValues(headers, name)) {
    for (const item of value.split(',')) if (item.trim() !== '') items.push(item.trim());
  }
  return items;
}

/** Writes a head. Throws WebSocketError when a name or a value could break out of its line. */
export function formatHead(startLine: string, headers: RawHeaders): string {
  if (/[\r\n\0]/.test(startLine)) throw malformed('the start line holds a line break');
  let text = `${startLine}\r\n`;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? '';
    const value = headers[at + 1] ?? '';
    if (!TOKEN.test(name) || !FIELD_VALUE.test(value))
      throw malformed(`header ${JSON.stringify(name)} cannot be sent`);
    text += `${name}: ${value}\r\n`;
  }
  return `${text}\r\n`;
}

function malformed(text: string): WebSocketError {
  return new WebSocketError('WS_HANDSHAKE_INVALID', `HTTP: ${text}`);
}

/** True when a body follows the head, maybe an empty one. */
export function hasBody(rawHeaders: RawHeaders): boolean {
  if (headerValues(rawHeaders, 'Transfer-Encoding').length > 0) return true;
  return headerValues(rawHeaders, 'Content-Length').some((value) => Number(value) !== 0);
}
