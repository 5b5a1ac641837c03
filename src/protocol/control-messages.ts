/**
 * The JSON messages of a listener's control channel, both directions: reading them field by field, and writing them
 * as the service and Microsoft's clients do. Readers never throw: a bad message is an answer like any other. The
 * binary message that follows a `body: true` is the channel's business.
 */
import { asHeaders, asObject, asRemoteEndpoint, type JsonObject, MalformedField } from './json-fields.ts';

/** The sender's address as the relay saw it. */
export interface RemoteEndpoint {
  readonly address: string;
  readonly port: number;
}

/** A sender waits: the listener connects to `address`, or rejects with two parameters more. */
export interface AcceptCommand {
  /** Absolute wss URL with a query; a secret, single use, good for about 30 s. */
  readonly address: string;
  readonly id: string;
  /** The sender's handshake headers, names as sent. */
  readonly connectHeaders: Record<string, string>;
  readonly remoteEndpoint?: RemoteEndpoint;
}

/** An HTTP request. Without `method` and `body` only the address counts: the request itself waits there. */
export interface RequestCommand {
  readonly address: string;
  readonly id?: string;
  /** Path and query, entity name included. */
  readonly requestTarget?: string;
  readonly method?: string;
  readonly remoteEndpoint?: RemoteEndpoint;
  readonly requestHeaders?: Record<string, string>;
  /** True: one binary message with the body follows. Absent (not false): the request waits at `address`. */
  readonly body?: boolean;
}

/** A listener's answer to a request. `body: true`: one binary message with the body follows. */
export interface ResponseCommand {
  readonly requestId: string;
  readonly statusCode: number;
  readonly statusDescription?: string;
  readonly responseHeaders: Record<string, string>;
  readonly body: boolean;
}

export interface UnknownMessage {
  readonly kind: 'unknown';
  /** Names of the message's fields: to be logged, then ignored, as the .NET client does. */
  readonly keys: readonly string[];
}
export interface MalformedMessage {
  readonly kind: 'malformed';
  /** Which field, and what is wrong with it. Holds no value of the message. */
  readonly reason: string;
  /** Of a response that can be read so far: whoever waits for it need not wait on. */
  readonly requestId?: string;
}
export type ServiceMessage =
  | ({ readonly kind: 'accept' } & AcceptCommand)
  | ({ readonly kind: 'request' } & RequestCommand)
  | UnknownMessage
  | MalformedMessage;
export type ListenerMessage =
  | { readonly kind: 'renewToken'; readonly token: string }
  | ({ readonly kind: 'response' } & ResponseCommand)
  | UnknownMessage
  | MalformedMessage;

/** Reads what the service sends to a listener. */
export function parseServiceMessage(text: string): ServiceMessage {
  return read(text, SERVICE_READERS);
}

/** Reads what a listener sends to the service. */
export function parseListenerMessage(text: string): ListenerMessage {
  return read(text, LISTENER_READERS);
}

/** True when the request itself is in the message; false when it waits at `address` (.NET and Java: no `body`). */
export function isInlineRequest(command: RequestCommand): boolean {
  return command.body !== undefined;
}

/** Writes an accept message. Slashes are escaped as in messages captured from the real service. */
export function formatAccept(command: AcceptCommand): string {
  const { address, id, connectHeaders, remoteEndpoint } = command;
  return JSON.stringify({ accept: { address, id, connectHeaders, remoteEndpoint } }).replaceAll('/', '\\/');
}

/** Writes a request message, fields in the order of messages captured from the real service. */
export function formatRequest(command: RequestCommand): string {
  const { address, id, requestTarget, method, remoteEndpoint, requestHeaders, body } = command;
  return JSON.stringify({
    request: { address, id, requestTarget, method, remoteEndpoint, requestHeaders, body },
  });
}

/** Writes the message that replaces a listener's token before it expires. */
export function formatRenewToken(token: string): string {
  return JSON.stringify({ renewToken: { token } });
}

/** Writes a listener's answer. */
export function formatResponse(command: ResponseCommand): string {
  const { requestId, statusCode, statusDescription, responseHeaders, body } = command;
  return JSON.stringify({ response: { requestId, statusCode, statusDescription, responseHeaders, body } });
}

/** By the one field that a message has, its reader. */
type Readers<Message> = readonly (readonly [name: string, reader: (fields: JsonObject) => Message])[];

const SERVICE_READERS: Readers<ServiceMessage> = [
  ['accept', (fields) => ({ kind: 'accept', ...acceptOf(fields) })],
  ['request', (fields) => ({ kind: 'request', ...requestOf(fields) })],
];

const LISTENER_READERS: Readers<ListenerMessage> = [
  ['renewToken', (fields) => ({ kind: 'renewToken', token: fields.text('token') })],
  ['response', (fields) => responseMessageOf(fields)],
];

function read<Message>(text: string, readers: Readers<Message>): Message | UnknownMessage | MalformedMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'malformed', reason: 'the message is not JSON' };
  }
  try {
    const message = asObject(value, 'the message');
    for (const [name, reader] of readers) {
      if (message.has(name)) return reader(asObject(message.raw(name), name));
    }
    return { kind: 'unknown', keys: message.keys() };
  } catch (error) {
    if (error instanceof MalformedField) return { kind: 'malformed', reason: error.message };
    throw error;
  }
}

function acceptOf(fields: JsonObject): AcceptCommand {
  return {
    address: fields.text('address'),
    id: fields.text('id'),
    connectHeaders: asHeaders(fields, 'connectHeaders') ?? {},
    ...asRemoteEndpoint(fields),
  };
}

function requestOf(fields: JsonObject): RequestCommand {
  const headers = asHeaders(fields, 'requestHeaders');
  const body = fields.optionalBoolean('body');
  return {
    address: fields.text('address'),
    ...fields.optionalTexts('id', 'requestTarget', 'method'),
    ...asRemoteEndpoint(fields),
    ...(headers === undefined ? {} : { requestHeaders: headers }),
    ...(body === undefined ? {} : { body }),
  };
}

function responseMessageOf(fields: JsonObject): ListenerMessage {
  try {
    return { kind: 'response', ...responseOf(fields) };
  } catch (error) {
    if (!(error instanceof MalformedField)) throw error;
    const requestId = fields.raw('requestId');
    return {
      ...{ kind: 'malformed', reason: error.message },
      ...(typeof requestId === 'string' ? { requestId } : {}),
    };
  }
}

function responseOf(fields: JsonObject): ResponseCommand {
  return {
    requestId: fields.text('requestId'),
    statusCode: fields.statusCode('statusCode'),
    ...fields.optionalTexts('statusDescription'),
    responseHeaders: asHeaders(fields, 'responseHeaders') ?? {},
    body: fields.optionalBoolean('body') ?? false,
  };
}
