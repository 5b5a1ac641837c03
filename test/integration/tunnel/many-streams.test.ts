import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { TunnelBed, outcomeOf, tcpClient } from '../../helpers/tunnel-bed.ts';
import { until } from '../../helpers/until.ts';

const STREAMS = 1_000;
const AT_A_TIME = 100;

describe('a thousand streams', function () {
  this.timeout(60_000);
  expectNothingLeft();

  it('that the relay cuts leave no socket, no timer and no memory behind', async () => {
    // In the clear: three TLS handshakes for each stream would take most of the time. outage.test.ts has TLS.
    const bed = await TunnelBed.start({ insecure: true });
    const target = await bed.target((socket) => socket.pipe(socket));
    const listener = await bed.onlineListener({ target, insecureLoopback: true });
    const port = await bed.localPort(bed.sender({ insecureLoopback: true }));
    const round = async () => {
      const clients = await Promise.all(Array.from({ length: AT_A_TIME }, () => tcpClient(port)));
      const outcomes = clients.map((client) => outcomeOf(client).over);
      for (const client of clients) client.write('hello');
      await until(() => clients.every(({ bytesRead }) => bytesRead === 5), 'echoes', 20_000);
      assert.equal(bed.emulator.faults.abortStreams(), AT_A_TIME);
      for (const { ended, error } of await Promise.all(outcomes)) assert.ok(error && !ended);
      await until(() => listener.openStreams === 0 && bed.sent.of('closed').length === AT_A_TIME);
      // An error keeps alive what its stack trace saw, sockets too.
      for (const log of [bed.heard, bed.sent]) log.all.length = 0;
    };
    await round();
    const before = heapUsed();
    for (let done = AT_A_TIME; done < STREAMS; done += AT_A_TIME) await round();
    const perStream = (heapUsed() - before) / (STREAMS - AT_A_TIME);
    assert.ok(perStream < 2 * 1024, `${Math.round(perStream)} bytes stay for each stream`);
    await bed.stop();
  });
});

/** After a collection, which a test may ask for without a flag of the command line. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
