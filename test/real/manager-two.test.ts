// Two managers serve one connection, as two machines of one network do: one is killed, one is drained.
import assert from 'node:assert/strict';
import { LongStream, NewConnections } from './load.ts';
import { kill, ManagerBed } from './manager-bed.ts';

/** By chance each is on one of the two. */
const STREAMS = 12;
const WORKERS = 4;

describe('two managers on one connection', () => {
  let bed: ManagerBed;
  let port: number;

  beforeEach(async () => {
    bed = await ManagerBed.start({ raw: 1, azbridge: 0, http: 0, forwards: 0 });
    const args = ['--grace-period', '60s'];
    await bed.startManager({ args });
    await bed.startManager({ args, folder: 'second' });
    await bed.allOnline(20_000, bed.managers[0]);
    await bed.allOnline(20_000, bed.managers[1]);
    port = await bed.outside('raw-1');
  });
  afterEach(() => bed.stop());

  async function openStreams(): Promise<LongStream[]> {
    const streams: LongStream[] = [];
    for (let count = 0; count < STREAMS; count += 1) streams.push(await LongStream.open(port, 'raw-1: '));
    return streams;
  }

  const countOn = async (manager: number) =>
    (await bed.managers[manager]!.client.list()).reduce((sum, { openStreams: open }) => sum + open, 0);

  it('go on alone when one is killed: only what was on it ends, with an error', async () => {
    const streams = await openStreams();
    const onFirst = await countOn(0);
    const load = new NewConnections(port, 'raw-1: hello', WORKERS);
    await bed.until('answers', () => load.asked.length > 20);
    await kill(bed.managers[0]!.process);
    const killedMs = performance.now();
    const before = load.asked.length;
    await bed.until('more answers', () => load.asked.length > before + 50);
    const asked = await load.stop();
    const failed = asked.filter(({ error }) => error !== undefined);
    // A client whose stream was being set up on the killed one has lost it; whoever comes later has not.
    assert.deepEqual(
      failed.filter(({ startedMs }) => startedMs > killedMs),
      [],
    );
    assert.ok(failed.length <= WORKERS, `${failed.length} failed`);
    const outcomes = await Promise.all(streams.map((stream) => stream.finish()));
    assert.equal(outcomes.filter((outcome) => outcome !== undefined).length, onFirst, outcomes.join());
    for (const outcome of outcomes) if (outcome !== undefined) assert.match(outcome, /ECONNRESET|EPIPE/);
  });

  it('lose nothing when one is drained', async () => {
    const streams = await openStreams();
    const onFirst = await countOn(0);
    const load = new NewConnections(port, 'raw-1: hello', WORKERS);
    await bed.until('answers', () => load.asked.length > 20);
    const first = bed.managers[0]!.process;
    process.kill(first.pid, 'SIGTERM');
    const before = load.asked.length;
    await bed.until('more answers', () => load.asked.length > before + 50);
    let ended = false;
    void first.exited.then(() => (ended = true));
    const asked = await load.stop();
    assert.equal(ended, onFirst === 0, 'it waits for its streams');
    assert.deepEqual(
      asked.filter(({ error }) => error !== undefined),
      [],
    );
    const outcomes = await Promise.all(streams.map((stream) => stream.finish()));
    assert.deepEqual(
      outcomes.filter((outcome) => outcome !== undefined),
      [],
    );
    assert.equal(await first.exited, 0);
    assert.equal(await countOn(1), 0);
  });
});
