import assert from 'node:assert/strict';
import type { WebSocketErrorCode } from '../../../src/websocket/websocket-error.ts';
import { parse } from '../../helpers/frame-collector.ts';
import { rawFrame, slices, type RawFrame } from '../../helpers/frames.ts';

const MASK = Buffer.from([1, 2, 3, 4]);
const PROTOCOL_ERROR = 1002;
const TOO_BIG = 1009;

interface Case {
  it: string;
  frames: RawFrame[];
  code: WebSocketErrorCode;
  closeCode?: number;
  expectMasked?: boolean;
  maxFrameBytes?: number;
}

const reserved: Case[] = [1, 2, 4].map((bits) => ({
  it: `a reserved bit (${bits})`,
  frames: [{ opcode: 1, reserved: bits }],
  code: 'WS_RESERVED_BITS',
}));
const unknown: Case[] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
  it: `the reserved opcode ${opcode}`,
  frames: [{ opcode }],
  code: 'WS_UNKNOWN_OPCODE',
}));
const fragmentedControls: Case[] = [8, 9, 10].map((opcode) => ({
  it: `a fragmented control, opcode ${opcode}`,
  frames: [{ opcode, fin: false }],
  code: 'WS_CONTROL_FRAGMENTED',
}));
const longControls: Case[] = [8, 9, 10].map((opcode) => ({
  it: `a control of 126 bytes, opcode ${opcode}`,
  frames: [{ opcode, payload: Buffer.alloc(126) }],
  code: 'WS_CONTROL_TOO_LONG',
}));
const cases: Case[] = [
  ...reserved,
  ...unknown,
  ...fragmentedControls,
  ...longControls,
  {
    it: 'a control with a 64-bit length whose highest bit is set',
    frames: [{ opcode: 9, announcedBytes: 2n ** 63n }],
    code: 'WS_CONTROL_TOO_LONG',
  },
  {
    it: 'a control whose short payload has a 16-bit length',
    frames: [{ opcode: 9, payload: 'abc', lengthBits: 16 }],
    code: 'WS_CONTROL_TOO_LONG',
  },
  {
    it: 'a masked frame from a server',
    frames: [{ opcode: 1, mask: MASK }],
    code: 'WS_MASK_FORBIDDEN',
  },
  {
    it: 'an unmasked frame from a client',
    frames: [{ opcode: 1 }],
    code: 'WS_MASK_REQUIRED',
    expectMasked: true,
  },
  {
    it: 'a continuation of nothing',
    frames: [{ opcode: 0, payload: 'x' }],
    code: 'WS_UNEXPECTED_CONTINUATION',
  },
  {
    it: 'a continuation of a finished message',
    frames: [{ opcode: 1, fin: false }, { opcode: 0 }, { opcode: 0 }],
    code: 'WS_UNEXPECTED_CONTINUATION',
  },
  {
    it: 'a new message inside an unfinished one',
    frames: [{ opcode: 1, fin: false }, { opcode: 9 }, { opcode: 2 }],
    code: 'WS_EXPECTED_CONTINUATION',
  },
  {
    it: 'a 64-bit length whose highest bit is set',
    frames: [{ opcode: 2, announcedBytes: 2n ** 63n }],
    code: 'WS_LENGTH_INVALID',
  },
  {
    it: 'a frame over the limit',
    frames: [{ opcode: 2, payload: Buffer.alloc(101) }],
    code: 'WS_FRAME_TOO_BIG',
    closeCode: TOO_BIG,
    maxFrameBytes: 100,
  },
  {
    it: 'a continuation over the limit',
    frames: [
      { opcode: 2, fin: false, payload: Buffer.alloc(100) },
      { opcode: 0, announcedBytes: 2n ** 62n },
    ],
    code: 'WS_FRAME_TOO_BIG',
    closeCode: TOO_BIG,
    maxFrameBytes: 100,
  },
];

describe('FrameParser refuses', () => {
  for (const {
    it: name,
    frames,
    code,
    closeCode = PROTOCOL_ERROR,
    expectMasked = false,
    ...limits
  } of cases) {
    it(name, () => {
      const bytes = Buffer.concat(frames.map((frame) => rawFrame(frame)));
      for (const chunks of [[bytes], slices(bytes, 1)]) {
        const { events, error } = parse(chunks, { expectMasked, ...limits });
        assert.equal(error?.code, code);
        assert.equal(error.closeCode, closeCode);
        assert.equal(
          events.length,
          frames.length - 1,
          'what came before is delivered, the wrong frame is not',
        );
      }
    });
  }

  it('nothing of a frame at the limit, nor the default limit of 2^40 bytes', () => {
    const atLimit = rawFrame({ opcode: 2, payload: Buffer.alloc(100) });
    assert.equal(parse([atLimit], { expectMasked: false, maxFrameBytes: 100 }).error, undefined);
    const huge = (bytes: bigint) => [rawFrame({ opcode: 2, announcedBytes: bytes })];
    assert.equal(parse(huge(2n ** 40n), { expectMasked: false }).error, undefined);
    assert.equal(parse(huge(2n ** 40n + 1n), { expectMasked: false }).error?.code, 'WS_FRAME_TOO_BIG');
  });
});
