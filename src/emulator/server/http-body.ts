/** Bodies of plain HTTP requests and answers on the emulator's port. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Largest body that Resource Manager takes (its limits page: 4 MB). */
const MAX_BYTES = 4 * 1_024 * 1_024;

/** So many times the largest body are read and dropped, so that the client gets its answer; then it is cut. */
const PATIENCE = 8;

/** The body is larger than anybody reads. */
export class BodyTooLarge extends Error {}

/** Reads a request's body to its end. Rejects with BodyTooLarge, or when the client leaves. */
export async function readBody(message: IncomingMessage, maxBytes = MAX_BYTES): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxBytes * PATIENCE) throw new BodyTooLarge();
    if (bytes <= maxBytes) chunks.push(chunk as Buffer);
  }
  if (bytes > maxBytes) throw new BodyTooLarge();
  return Buffer.concat(chunks);
}

/** Answers with JSON; `reason` is the phrase of the status line. */
export function sendJson(response: ServerResponse, status: number, body: object, reason?: string): void {
  const text = JSON.stringify(body);
  const headers = {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  };
  if (reason === undefined) response.writeHead(status, headers);
  else response.writeHead(status, reason, headers);
  response.end(response.req.method === 'HEAD' ? undefined : text);
}
