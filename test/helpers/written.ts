import type { Readable } from 'node:stream';

/** All the text that a stream holds; '' for none. One `read()` gives all of it up to Node 24, one chunk from 26 on. */
export function written(stream: Readable): string {
  let text = '';
  for (let chunk; (chunk = stream.read() as Buffer | null);) text += chunk.toString();
  return text;
}
