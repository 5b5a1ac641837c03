/** The body of a sender's request: how long it will be, and reading a small one completely. */
import type { IncomingMessage } from 'node:http';

const EMPTY = Buffer.alloc(0);

/** In bytes; `Infinity` when nobody knows: chunked. */
export function announcedBytes(message: IncomingMessage): number {
  if (message.headers['transfer-encoding'] !== undefined) return Infinity;
  return Number(message.headers['content-length'] ?? 0);
}

/** Reads a body whose length is announced. Calls `onProgress` for each piece, `onBody` once; neither when the sender leaves. */
export function gatherBody(
  message: IncomingMessage,
  onProgress: () => void,
  onBody: (body: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  message.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    onProgress();
  });
  message.on('end', () => onBody(chunks.length === 0 ? EMPTY : Buffer.concat(chunks)));
}
