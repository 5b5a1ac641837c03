import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { DatagramDecoder, encodeDatagram } from '../../../src/protocol/azbridge-datagrams.ts';
import {
  AZBRIDGE_ANSWERS,
  AnswerDecoder,
  PreambleDecoder,
  checkPortName,
  encodePreamble,
  findPort,
  parseRefusalReason,
  refusalReason,
  type Answer,
  type PortMode,
  type StartDecoder,
} from '../../../src/protocol/azbridge.ts';
import type { HcmError } from '../../../src/protocol/errors.ts';
import { ERROR_CODES } from '../../../src/protocol/errors.ts';
import { cut, slices } from '../../helpers/frames.ts';

interface Vectors {
  preambles: { bytes: string; mode: PortMode; port: string }[];
  foreign: { bytes: string; seen: string }[];
  answers: { bytes: string; answer: Answer }[];
  datagrams: { bytes: string; payload: string }[];
}
const file = new URL('../../fixtures/protocol/azbridge.json', import.meta.url);
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors;
const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

/** The value, and everything that was left behind it, of bytes that come in these pieces. */
function decode<T>(decoder: StartDecoder<T>, pieces: readonly Buffer[]) {
  for (const [at, piece] of pieces.entries()) {
    const decoded = decoder.push(piece);
    if (decoded)
      return { value: decoded.value, rest: Buffer.concat([decoded.rest, ...pieces.slice(at + 1)]) };
  }
  return undefined;
}

describe('the preamble of azbridge', () => {
  for (const { bytes, mode, port } of vectors.preambles) {
    it(`reads ${bytes}, cut at any byte, and leaves what stands behind it`, () => {
      const payload = Buffer.from('SSH-2.0-x');
      const whole = Buffer.concat([bytesOf(bytes), payload]);
      for (let at = 0; at <= whole.length; at += 1) {
        const decoded = decode(new PreambleDecoder(), cut(whole, [at]));
        assert.deepEqual(decoded?.value, { kind: 'preamble', mode, port });
        assert.deepEqual(decoded?.rest, payload, `cut at ${at}`);
      }
      assert.deepEqual(decode(new PreambleDecoder(), slices(whole, 1))?.rest, payload);
    });

    if (port !== '')
      it(`writes ${bytes} as two messages, the name apart`, () => {
        const [header, name] = encodePreamble(mode, port);
        assert.equal(header.length, 4);
        assert.deepEqual(Buffer.concat([header, name]), bytesOf(bytes));
      });
  }

  for (const { bytes, seen } of vectors.foreign) {
    it(`takes ${bytes} for no preamble, as soon as three bytes have come`, () => {
      const decoder = new PreambleDecoder();
      const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = cut(bytesOf(bytes), [2]);
      assert.equal(decoder.push(first), undefined);
      assert.deepEqual(decoder.push(second.subarray(0, 1))?.value, { kind: 'foreign', seen });
    });
  }

  it('takes a name of 255 bytes, and waits for all of them', () => {
    const port = 'é'.repeat(127) + 'x';
    const whole = Buffer.concat(encodePreamble('stream', port));
    assert.equal(whole.length, 4 + 255);
    const decoder = new PreambleDecoder();
    assert.equal(decoder.push(whole.subarray(0, -1)), undefined);
    assert.deepEqual(decoder.push(whole.subarray(-1))?.value, { kind: 'preamble', mode: 'stream', port });
  });

  it('does not trip over a name that is not UTF-8', () => {
    const decoded = new PreambleDecoder().push(bytesOf('01 00 00 02 ff fe'));
    assert.deepEqual(decoded?.value, { kind: 'preamble', mode: 'stream', port: '\ufffd\ufffd' });
  });

  it('refuses to write a name that has no byte, or 256', () => {
    for (const port of ['', 'x'.repeat(256), 'é'.repeat(128)]) {
      assert.throws(
        () => checkPortName(port),
        (error: HcmError) => error.code === 'HCM_NAME_INVALID',
      );
    }
  });

  it('decides on any bytes in at most 259, however they come', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 0, maxLength: 600 }),
      fc
        .uint8Array({ minLength: 1, maxLength: 600 })
        .map((tail) => Buffer.concat([Buffer.from([1, 0, (tail[0] ?? 0) % 3]), tail])),
    );
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(600)), (input, offsets) => {
        const whole = Buffer.from(input);
        const decoded = decode(new PreambleDecoder(), cut(whole, offsets));
        const atOnce = decode(new PreambleDecoder(), [whole]);
        assert.deepEqual(decoded?.value, atOnce?.value);
        if (whole.length >= 259) assert.ok(decoded);
        if (decoded?.value.kind !== 'preamble') return;
        assert.deepEqual(decoded.rest, atOnce?.rest);
        assert.deepEqual(decoded.rest, whole.subarray(4 + (whole[3] ?? 0)));
      }),
    );
  });
});

describe("the listener's answer", () => {
  for (const { bytes, answer } of vectors.answers) {
    it(`reads ${bytes} as ${answer.kind}, in one piece or three, and leaves the payload`, () => {
      const whole = Buffer.concat([bytesOf(bytes), Buffer.from('+OK')]);
      for (const pieces of [[whole], slices(whole, 1), slices(whole, 2)]) {
        const decoded = decode(new AnswerDecoder(), pieces);
        assert.deepEqual(decoded, { value: answer, rest: Buffer.from('+OK') });
      }
    });
  }

  it('is written as it is read', () => {
    const written = Object.values(AZBRIDGE_ANSWERS).map((bytes) => bytes.toString('hex'));
    assert.deepEqual(written, ['010000', '010001', '000000', '000001', '0000ff']);
  });
});

describe('the words of a refusal', () => {
  it('are a sentence that ends in the code', () => {
    const reason = refusalReason('HCM_LOGICAL_PORT_UNKNOWN', 'Unknown logical port "x"');
    assert.equal(reason, 'Unknown logical port "x" (HCM_LOGICAL_PORT_UNKNOWN)');
    assert.deepEqual(parseRefusalReason(reason), {
      code: 'HCM_LOGICAL_PORT_UNKNOWN',
      text: 'Unknown logical port "x"',
    });
  });

  it('fit a Close frame and keep their code, whatever they say', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ERROR_CODES),
        fc.string({ unit: 'binary', maxLength: 300 }),
        (code, text) => {
          const reason = refusalReason(code, text);
          assert.ok(Buffer.byteLength(reason) <= 123, reason);
          assert.ok(['HCM_REJECTED', code].includes(parseRefusalReason(reason)?.code as typeof code), reason);
        },
      ),
    );
  });

  it("are not azbridge's own", () => {
    for (const said of ['Shutdown', 'CloseAsync', '', 'Unknown (HCM_NONSENSE)'])
      assert.equal(parseRefusalReason(said), undefined);
  });
});

describe('the names of logical ports', () => {
  it('are matched to the letter where there are several', () => {
    const ports = new Map([
      ['db', 1],
      ['5432', 2],
    ]);
    assert.equal(findPort(ports, 'db'), 1);
    assert.equal(findPort(ports, '5432'), 2);
    for (const asked of ['DB', '1433', 'd', '', '__proto__']) assert.equal(findPort(ports, asked), undefined);
  });

  it('may be any number where there is one port alone, whatever that is called', () => {
    for (const name of ['5432', 'db', '53U']) {
      const ports = new Map([[name, 1]]);
      for (const asked of ['1', '65536', '2147483647', '-1', ' 22 ']) assert.equal(findPort(ports, asked), 1);
      for (const asked of ['', 'web', '22U', '0x16', '1e3', '2147483648', '1.0'])
        assert.equal(findPort(ports, asked), undefined, asked);
    }
    assert.equal(findPort(new Map(), '22'), undefined);
  });
});

describe('datagrams in a stream', () => {
  const decodeAll = (pieces: readonly Buffer[]) => {
    const decoder = new DatagramDecoder();
    const payloads: string[] = [];
    for (const piece of pieces) decoder.push(piece, (payload) => payloads.push(payload.toString('hex')));
    return payloads;
  };

  for (const { bytes, payload } of vectors.datagrams) {
    it(`are written and read as ${bytes}`, () => {
      assert.deepEqual(encodeDatagram(bytesOf(payload)), bytesOf(bytes));
      assert.deepEqual(decodeAll([bytesOf(bytes)]), [payload.replaceAll(' ', '')]);
      assert.deepEqual(decodeAll(slices(bytesOf(bytes), 1)), [payload.replaceAll(' ', '')]);
    });
  }

  it('keep their boundaries, empty ones and the largest too, wherever the bytes are cut', () => {
    const payload = fc.oneof(
      fc.constantFrom(0, 1, 1472, 65_507, 65_535).map((bytes) => Buffer.alloc(bytes, 7)),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 6 }), fc.array(fc.nat(200_000)), (payloads, offsets) => {
        const whole = Buffer.concat(payloads.map((bytes) => encodeDatagram(bytes)));
        assert.deepEqual(
          decodeAll(cut(whole, offsets)),
          payloads.map((bytes) => bytes.toString('hex')),
        );
      }),
    );
  });

  it('are not written when their length cannot be told', () => {
    assert.throws(() => encodeDatagram(Buffer.alloc(65_536)), RangeError);
  });

  it('cost little memory while they are announced alone', () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 1000 }, () => new DatagramDecoder());
    for (const decoder of decoders) decoder.push(Buffer.from([255, 255, 1]), () => assert.fail());
    const taken = process.memoryUsage().arrayBuffers - before;
    assert.ok(taken < 4 * 1024 * 1024, `${taken} bytes`);
  });
});
