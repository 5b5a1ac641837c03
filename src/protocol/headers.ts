/**
 * HTTP headers as the relay uses them: its own names, what of a sender's handshake the listener gets to see, and the
 * choice of a listener by header.
 */
import { stripGateway } from './tracking.ts';

/** The relay's own header names, spelled as Microsoft's clients send them. */
export const RELAY_HEADERS = {
  authorization: 'ServiceBusAuthorization',
  userAgent: 'Relay-User-Agent',
  trackingId: 'TrackingId',
  allowedListeners: 'Microsoft-Relay-AllowedListeners',
  disallowedListeners: 'Microsoft-Relay-DisallowedListeners',
  processAt: 'X-PROCESS-AT',
} as const;

const AUTHORIZATION = RELAY_HEADERS.authorization.toLowerCase();

/**
 * The sender's handshake headers for an accept message: names as first sent, repeats joined with `, `, without the
 * sender's token. `Authorization` is the application's own on a WebSocket and stays.
 * @param rawHeaders names and values in turn, as in Node's `IncomingMessage.rawHeaders`.
 */
export function connectHeadersOf(rawHeaders: readonly string[]): Record<string, string> {
  const found = new Map<string, [name: string, value: string]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const value = rawHeaders[index + 1] ?? '';
    const folded = name.toLowerCase();
    if (folded === AUTHORIZATION) continue;
    const earlier = found.get(folded);
    if (earlier === undefined) found.set(folded, [name, value]);
    else earlier[1] += `, ${value}`;
  }
  // fromEntries makes own properties even of `__proto__`.
  return Object.fromEntries(found.values());
}

/** Which listeners a sender wants (none named: all) and which it does not. Ids are folded to lower case. */
export interface ListenerChoice {
  readonly allowed: readonly string[];
  readonly disallowed: readonly string[];
}

/** Reads the two selection headers: ids between commas, each the `sb-hc-id` that a listener gave. */
export function listenerChoice(
  allowedHeader: string | undefined,
  disallowedHeader: string | undefined,
): ListenerChoice {
  return { allowed: idsIn(allowedHeader), disallowed: idsIn(disallowedHeader) };
}

/** True when a listener with this id (with or without `_G<n>`) may get the request. */
export function listenerChosen(choice: ListenerChoice, listenerId: string): boolean {
  const id = stripGateway(listenerId).toLowerCase();
  if (choice.disallowed.includes(id)) return false;
  return choice.allowed.length === 0 || choice.allowed.includes(id);
}

function idsIn(header: string | undefined): string[] {
  if (!header) return [];
  return header
    .split(',')
    .map((id) =>
      id
        .trim()
        .replace(/^\{(.*)\}$/, '$1')
        .toLowerCase(),
    )
    .filter((id) => id !== '');
}
