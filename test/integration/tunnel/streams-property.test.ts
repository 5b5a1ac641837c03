import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { TunnelBed, outcomeOf, tcpClient } from '../../helpers/tunnel-bed.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { turns, until } from '../../helpers/until.ts';

const RUNS = 25;
const material = randomBytes(1024 * 1024);

/** What one side does: writes pieces, with pauses of its reading in between, and ends before or after the other. */
interface Plan {
  pieces: number[];
  /** Turns of the event loop during which it reads nothing. */
  readsAfter: number;
  /** Ends only after the other side's end has come. */
  waits: boolean;
}

const plan = fc.record({
  pieces: fc.array(fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 300_000 })), {
    maxLength: 8,
  }),
  readsAfter: fc.integer({ min: 0, max: 60 }),
  waits: fc.boolean(),
});
/** Bytes after which the relay cuts the stream; undefined: never. */
const cutAfter = fc.option(fc.integer({ min: 1, max: 1_500_000 }), { nil: undefined, freq: 2 });

function planned({ pieces }: Plan): Buffer {
  return Buffer.concat(pieces.map((bytes, at) => material.subarray(at, at + bytes)));
}

async function play(socket: Socket, side: Plan) {
  socket.pause();
  const outcome = outcomeOf(socket);
  socket.pause();
  void turns(side.readsAfter).then(() => socket.resume());
  for (const [at, bytes] of side.pieces.entries()) {
    if (!socket.writable) break;
    if (!socket.write(material.subarray(at, at + bytes)))
      await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
    await turns(at);
  }
  if (side.waits) await outcome.over;
  socket.end();
  return outcome.over;
}

describe('any stream', function () {
  this.timeout(60_000);
  expectNothingLeft();

  it('is byte-exact or ends with an error, whatever is written, in whatever order it ends, wherever it is cut', async () => {
    const bed = await TunnelBed.start();
    const served: Socket[] = [];
    const target = await bed.target((socket) => void served.push(socket.pause()));
    const listener = await bed.onlineListener({ target });
    const port = await bed.localPort();
    await fc.assert(
      fc.asyncProperty(plan, plan, cutAfter, async (near, far, cut) => {
        if (near.waits && far.waits) far.waits = false; // else both would wait for ever
        bed.emulator.faults.cutStreamAfterBytes = cut;
        const client = await tcpClient(port);
        await until(() => served.length === 1, 'the connection to the target');
        const server = served.pop() as Socket;
        const [atClient, atServer] = await Promise.all([play(client, near), play(server, far)]);
        assertExactOrError(atClient, planned(far));
        assertExactOrError(atServer, planned(near));
        const total = planned(near).length + planned(far).length;
        if (cut === undefined || cut > total)
          assert.ok(atClient.ended && atServer.ended, 'it ended for no reason');
        client.destroy();
        server.destroy();
        await until(() => listener.openStreams === 0);
      }),
      { numRuns: RUNS },
    );
    await bed.stop();
  });
});

function assertExactOrError(outcome: { bytes: Buffer; ended: boolean }, expected: Buffer): void {
  if (outcome.ended) assert.equal(digest(outcome.bytes), digest(expected));
  else
    assert.ok(expected.subarray(0, outcome.bytes.length).equals(outcome.bytes), 'what came is a beginning');
}

function digest(bytes: Buffer): string {
  return `${bytes.length} bytes, ${createHash('sha256').update(bytes).digest('hex')}`;
}
