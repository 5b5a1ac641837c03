/** The parser, the assembler and the Close payload together against the Receiver of `ws`. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import fc from 'fast-check';
import { parseClose } from '../../../src/websocket/close-payload.ts';
import { FrameParser } from '../../../src/websocket/frame-parser.ts';
import { OPCODE_CLOSE } from '../../../src/websocket/frame.ts';
import { MessageAssembler } from '../../../src/websocket/message-assembler.ts';
import type { WebSocketError } from '../../../src/websocket/websocket-error.ts';
import { cut, rawFrame, type RawFrame } from '../../helpers/frames.ts';
import { turn } from '../../helpers/until.ts';

const MAX_MESSAGE_BYTES = 600;
const require = createRequire(import.meta.url);
/** `ws` does not export its Receiver; its file is reached by path. */
const Receiver = require(join(dirname(require.resolve('ws')), 'lib', 'receiver.js')) as new (options: {
  isServer: boolean;
  maxPayload: number;
}) => Writable;

function ours(chunks: readonly Buffer[], expectMasked: boolean, wholeFrameBytes: number): string[] {
  const out: string[] = [];
  const assembler = new MessageAssembler(MAX_MESSAGE_BYTES);
  const parser = new FrameParser(
    { expectMasked, wholeFrameBytes, maxFrameBytes: MAX_MESSAGE_BYTES },
    {
      onFragment(payload, opcode, _first, last) {
        const message = assembler.add(payload, opcode, last);
        if (message?.kind === 'text') out.push(`text ${Buffer.from(message.text).toString('hex')}`);
        else if (message) out.push(`binary ${message.bytes.toString('hex')}`);
      },
      onControl(opcode, payload) {
        if (opcode !== OPCODE_CLOSE) return void out.push(`control ${opcode} ${payload.toString('hex')}`);
        const { code, reason } = parseClose(payload);
        out.push(`close ${code ?? 1005} ${reason}`);
      },
    },
  );
  try {
    for (const chunk of chunks) parser.push(Buffer.from(chunk));
  } catch (error) {
    out.push(`error ${(error as WebSocketError).closeCode}`);
  }
  return out;
}

async function theirs(chunks: readonly Buffer[], isServer: boolean): Promise<string[]> {
  const out: string[] = [];
  const receiver = new Receiver({ isServer, maxPayload: MAX_MESSAGE_BYTES });
  let over = false;
  receiver.on('message', (data: Buffer, binary: boolean) =>
    out.push(`${binary ? 'binary' : 'text'} ${data.toString('hex')}`),
  );
  receiver.on('ping', (data: Buffer) => out.push(`control 9 ${data.toString('hex')}`));
  receiver.on('pong', (data: Buffer) => out.push(`control 10 ${data.toString('hex')}`));
  receiver.on('conclude', (code: number, reason: Buffer) => {
    over = true;
    out.push(`close ${code} ${reason.toString()}`);
  });
  receiver.on('error', (error: Error) => {
    const status = Object.getOwnPropertySymbols(error).find((symbol) => symbol.description === 'status-code');
    over = true;
    out.push(`error ${String(status && (error as unknown as Record<symbol, unknown>)[status])}`);
  });
  for (const chunk of chunks) {
    if (over || receiver.errored) break;
    receiver.write(Buffer.from(chunk));
  }
  await turn();
  return out;
}

const masks = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes));
const texts = fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => Buffer.from(text));
const binaries = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

/** A message in random frames, with Pings and Pongs between them. */
const messages = fc
  .tuple(fc.boolean(), texts, binaries, fc.array(fc.nat(300), { maxLength: 4 }), fc.array(fc.boolean()))
  .map(([isText, text, binary, offsets, pings]) => {
    const parts = cut(isText ? text : binary, offsets);
    return parts.flatMap((payload, at): RawFrame[] => {
      const opcode = at > 0 ? 0 : isText ? 1 : 2;
      const data = { opcode, fin: at === parts.length - 1, payload };
      return pings[at] ? [{ opcode: at % 2 === 0 ? 9 : 10, payload: `p${at}` }, data] : [data];
    });
  });
const closes = fc
  .tuple(fc.constantFrom(1000, 1001, 3000, 4999, 1005, 999), texts)
  .map(([code, text]): RawFrame => {
    const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), text.subarray(0, 60)]);
    return { opcode: 8, payload };
  });
/** Any header at all; the payload is short or over the limit. */
const wild: fc.Arbitrary<RawFrame> = fc.record({
  opcode: fc.nat(15),
  fin: fc.boolean(),
  reserved: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.nat(7)),
  payload: fc.oneof(binaries, texts, fc.constant(Buffer.alloc(MAX_MESSAGE_BYTES + 1))),
  lengthBits: fc.constantFrom(16, 64),
});

function compare(name: string, frames: fc.Arbitrary<RawFrame[]>, runs: number): void {
  it(name, async () => {
    const offsets = fc.array(fc.nat(1500), { maxLength: 12 });
    const wholes = fc.constantFrom(0, 200, 16 * 1024);
    await fc.assert(
      fc.asyncProperty(
        frames,
        masks,
        fc.boolean(),
        offsets,
        wholes,
        async (all, mask, isServer, at, whole) => {
          const bytes = all.map((frame) => rawFrame(isServer ? { mask, ...frame } : frame));
          const chunks = cut(Buffer.concat(bytes), at);
          assert.deepEqual(ours(chunks, isServer, whole), await theirs(chunks, isServer));
        },
      ),
      { numRuns: runs },
    );
  });
}

describe('What ws reads is what we read', () => {
  const some = fc.array(messages, { maxLength: 4 }).map((lists) => lists.flat());
  const oneWild = fc.tuple(some, wild, some).map(([before, frame, after]) => [...before, frame, ...after]);
  const wrongMask = fc
    .tuple(some, masks)
    .map(([before, mask]): RawFrame[] => [...before, { opcode: 2, mask }, { opcode: 2, mask: undefined }]);

  compare('in valid sequences', some, 300);
  compare(
    'in sequences with a Close and something after it',
    fc.tuple(some, closes, wild).map(([before, close, after]) => [...before, close, after]),
    200,
  );
  compare('in sequences with one frame of any kind', oneWild, 600);
  compare('in sequences of frames of any kind', fc.array(wild, { maxLength: 6 }), 300);
  compare('in sequences masked on one side only', wrongMask, 100);
});
