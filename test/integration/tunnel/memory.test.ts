import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { EmulatorConnection } from '../../../src/emulator/create-emulator.ts';
import { Child } from '../../helpers/child.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { TunnelBed, tcpClient } from '../../helpers/tunnel-bed.ts';
import { ENTITY } from '../../helpers/tunnel.ts';
import { turn, until } from '../../helpers/until.ts';

const MIB = 1024 * 1024;
const SECONDS = 1.5;
const STREAMS = 4;

describe('memory with a slow reader', function () {
  this.timeout(40_000);
  expectNothingLeft();

  it('stays within 64 MiB of idle in each process while both directions wait for readers of 1 MB/s', async () => {
    const relay = await Child.start<{ caPem: string; connections: EmulatorConnection[]; port: number }>(
      './emulator-process.ts',
      { connections: [{ name: ENTITY }] },
    );
    const bed = TunnelBed.over(relay.ready);
    const served: Socket[] = [];
    const target = await bed.target((socket) => void served.push(socket.pause()));
    const { caPem, connections } = relay.ready;
    const [connection] = connections;
    const [listener, sender] = await Promise.all([
      Child.start('./tunnel-process.ts', {
        ...{ connectionString: connection?.listenerConnectionString, caPem, target },
      }),
      Child.start<{ port: number }>('./tunnel-process.ts', {
        ...{ connectionString: connection?.senderConnectionString, caPem },
      }),
    ]);
    const children = { relay, listener, sender };
    const clients = await Promise.all(Array.from({ length: STREAMS }, () => tcpClient(sender.ready.port)));
    for (const client of clients) client.pause();
    while (served.length < STREAMS) await turn();
    const idle = await memoryOf(children);

    const all = [...clients, ...served];
    all.forEach(writeForEver);
    const peak = { ...idle };
    const startedAt = performance.now();
    while (performance.now() - startedAt < SECONDS * 1000) {
      const allowed = ((performance.now() - startedAt) / 1000) * MIB;
      for (const reader of all) readUpTo(reader, allowed / STREAMS);
      for (const [name, bytes] of Object.entries(await memoryOf(children)))
        peak[name] = Math.max(peak[name] ?? 0, bytes);
    }
    for (const readers of [clients, served]) {
      const read = readers.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
      assert.ok(read > SECONDS * MIB * 0.7, `the readers got ${read} bytes`);
    }
    for (const [name, bytes] of Object.entries(peak)) {
      const more = (bytes - (idle[name] ?? 0)) / MIB;
      assert.ok(more < 64, `${name} took ${more.toFixed(1)} MiB more than idle`);
    }
    for (const socket of all) socket.destroy();
    await Promise.all([listener.kill(), sender.kill(), relay.kill()]);
    await bed.stop();
    await until(() => clients.every((client) => client.closed));
  });
});

async function memoryOf(children: Record<string, Child<unknown>>): Promise<Record<string, number>> {
  const entries = Object.entries(children);
  const bytes = await Promise.all(entries.map(([, child]) => child.memory()));
  return Object.fromEntries(entries.map(([name], at) => [name, bytes[at] ?? 0]));
}

function writeForEver(socket: Socket): void {
  const block = randomBytes(64 * 1024);
  const go = () => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on('drain', go);
  go();
}

/** Takes what has come, but no more than `allowed` bytes in all. */
function readUpTo(socket: Socket, allowed: number): void {
  while (socket.bytesRead - socket.readableLength < allowed) {
    if (socket.read() === null) return;
  }
}
