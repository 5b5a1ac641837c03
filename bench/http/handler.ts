/**
 * What every HTTP path serves in the end, under node:http, under our listener or under hyco-https: a small answer, as
 * many bytes as asked for, or the count of what was sent. Uses what all three have, and depends on nothing.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

const small = Buffer.alloc(128, 's');
const chunk = Buffer.alloc(64 * 1024, 'x');

export function handle(request: IncomingMessage, response: ServerResponse): void {
  request.on('error', () => {}); // a client that goes away
  response.on('error', () => {});
  response.setHeader('Content-Type', 'application/octet-stream');
  if (request.method === 'POST') return count(request, response);
  // The path begins with the connection's name where nobody cuts it off.
  const [, bytes] = /\/bytes\/(\d+)$/.exec(request.url ?? '') ?? [];
  request.resume();
  if (bytes === undefined) response.end(small);
  else give(response, Number(bytes));
}

function count(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  request.on('data', (data: Buffer) => (bytes += data.length));
  request.on('end', () => response.end(String(bytes)));
}

function give(response: ServerResponse, bytes: number): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0) {
      const size = Math.min(left, chunk.length);
      left -= size;
      if (!response.write(chunk.subarray(0, size))) return void response.once('drain', more);
    }
    response.end();
  };
  more();
}
