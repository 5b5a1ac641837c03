// The handler that the mixed requests go to: directly under node:http, under Microsoft's hyco-https, under our listener.
// The request says in `x-answer` what the answer shall be; the answer says in `x-saw` what the handler saw. It uses only
// what all three servers offer.
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { patternOf } from './pattern.ts';

const PIECE_BYTES = 16_384;
/** Between the pieces of a slow body: longer than a listener waits before it begins to stream. */
const PACE_MS = 40;

/** How the body is handed over: at once, by `write` and an empty `end`, in pieces, in pieces with pauses, or broken off. */
export type Delivery = 'end' | 'write' | 'pieces' | 'paced' | 'broken';

export interface AnswerPlan {
  readonly status?: number;
  readonly reason?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly bytes?: number;
  readonly delivery?: Delivery;
}

/** What the handler saw of the request. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly bytes: number;
  readonly sha256: string;
}

export function handle(request: IncomingMessage, response: ServerResponse): void {
  const plan = JSON.parse(String(request.headers['x-answer'] ?? '{}')) as AnswerPlan;
  const hash = createHash('sha256');
  let bytes = 0;
  request.on('error', () => {}); // a sender that goes away
  response.on('error', () => {});
  request.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  request.on('end', () => {
    const { method = '', url = '', headers } = request;
    const rest = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'x-answer'));
    const seen: Seen = { method, url, headers: rest as Seen['headers'], bytes, sha256: hash.digest('hex') };
    response.statusCode = plan.status ?? 200;
    if (plan.reason !== undefined) response.statusMessage = plan.reason;
    for (const [name, value] of Object.entries(plan.headers ?? {})) response.setHeader(name, value);
    response.setHeader('X-Saw', Buffer.from(JSON.stringify(seen)).toString('base64'));
    deliver(response, patternOf(plan.bytes ?? 0), plan.delivery ?? 'end');
  });
}

export function readSeen(header: string): Seen {
  return JSON.parse(Buffer.from(header, 'base64').toString()) as Seen;
}

function deliver(response: ServerResponse, body: Buffer, delivery: Delivery): void {
  if (delivery === 'end') {
    if (body.length > 0) response.end(body);
    else response.end();
    return;
  }
  if (delivery === 'write') {
    if (body.length > 0) response.write(body);
    response.end();
    return;
  }
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; at += PIECE_BYTES) pieces.push(body.subarray(at, at + PIECE_BYTES));
  if (delivery === 'pieces') {
    for (const piece of pieces) response.write(piece);
    response.end();
    return;
  }
  const last = delivery === 'broken' ? pieces.splice(pieces.length >> 1) : undefined;
  const writeNext = (): void => {
    const piece = pieces.shift();
    if (piece !== undefined) {
      response.write(piece);
      setTimeout(writeNext, PACE_MS);
    } else if (last === undefined) response.end();
    else breakOff(response);
  };
  writeNext();
}

/** hyco-https has a WebSocket of ws where node:http has a socket, and its `destroy` does not fit it. */
function breakOff(response: ServerResponse): void {
  const socket = response.socket as { terminate?: () => void } | null;
  if (socket?.terminate) socket.terminate();
  else response.destroy();
}
