/** What comes out of a FrameParser, written down: copies, since the bytes are valid only during the call. */
import { OPCODE_TEXT } from '../../src/websocket/frame.ts';
import { FrameParser, type FrameParserOptions } from '../../src/websocket/frame-parser.ts';
import { WebSocketError } from '../../src/websocket/websocket-error.ts';

export type FrameEvent =
  | { kind: 'fragment'; opcode: number; first: boolean; last: boolean; hex: string }
  | { kind: 'control'; opcode: number; hex: string };

export interface Parsed {
  events: FrameEvent[];
  error: WebSocketError | undefined;
  insideMessage: boolean;
}

/** Feeds copies of the chunks to a parser until it throws. */
export function parse(chunks: readonly Buffer[], options: FrameParserOptions): Parsed {
  const events: FrameEvent[] = [];
  const parser = new FrameParser(options, {
    onFragment: (payload, opcode, first, last) =>
      void events.push({ kind: 'fragment', opcode, first, last, hex: payload.toString('hex') }),
    onControl: (opcode, payload) =>
      void events.push({ kind: 'control', opcode, hex: payload.toString('hex') }),
  });
  let error: WebSocketError | undefined;
  try {
    for (const chunk of chunks) parser.push(Buffer.from(chunk));
  } catch (thrown) {
    if (!(thrown instanceof WebSocketError)) throw thrown;
    error = thrown;
  }
  return { events, error, insideMessage: parser.insideMessage };
}

/** Joins the fragments of each message: the parts of a message that controls interrupt become one entry where it ends. */
export function joinMessages(events: readonly FrameEvent[]): string[] {
  const out: string[] = [];
  let open = '';
  for (const event of events) {
    if (event.kind === 'control') out.push(`control ${event.opcode} ${event.hex}`);
    else {
      if (event.first && open !== '') throw new Error('a message began inside another');
      if (event.first) open = event.opcode === OPCODE_TEXT ? 'text ' : 'binary ';
      if (open === '') throw new Error('a fragment came without a beginning');
      open += event.hex;
      if (event.last) {
        out.push(open);
        open = '';
      }
    }
  }
  if (open !== '') out.push(`open ${open}`);
  return out;
}
