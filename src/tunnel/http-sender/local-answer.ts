/** Answers of our own to a local client: what failed, as a small JSON document with our code. */
import { STATUS_CODES, type OutgoingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HcmError } from '../../protocol/errors.ts';
import { redact } from '../../protocol/redact.ts';

/** Statuses of a gateway (RFC 9110, 15.6): in time, and at all. */
export function statusOf({ code }: HcmError): number {
  if (code === 'HCM_REQUEST_INVALID') return 400;
  return code === 'HCM_CONNECT_TIMEOUT' ? 504 : 502;
}

/** RFC 9110, 15.5.20: this server does not answer for that host. */
export const MISDIRECTED = 421;

/** The whole answer, to a client that has seen no part of one. */
export function answerWith(response: ServerResponse, status: number, body: object): void {
  const text = documentOf(body);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** The same where node:http has given the socket away: for an upgrade, or CONNECT. The socket is ended. */
export function answerOnSocket(socket: Duplex, status: number, body: object): void {
  const text = documentOf(body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`, 'Connection: close'],
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
}

export function errorBody({ code, message }: { code: string; message: string }): object {
  return { error: { code, message: redact(message) } };
}

export function foreignHostBody(host: string): object {
  const shown = JSON.stringify(host.slice(0, 80));
  const message = `This port answers for localhost and addresses of this machine alone, not for ${shown}.`;
  return errorBody({ code: 'HCM_REQUEST_INVALID', message });
}

/** Ends keep-alive: what comes next on this connection would find nobody. */
export function closeAfter(message: OutgoingMessage): void {
  message.shouldKeepAlive = false;
}

function documentOf(body: object): string {
  return `${JSON.stringify(body)}\n`;
}
