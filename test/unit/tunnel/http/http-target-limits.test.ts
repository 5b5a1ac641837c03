import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { parseTargetAddress } from '../../../../src/protocol/target-address.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { expectNothingLeft } from '../../../helpers/resources.ts';
import { until } from '../../../helpers/until.ts';
import { HttpRelay } from './http-relay.ts';

describe('an HTTP target that says nothing', () => {
  expectNothingLeft();
  let clock: FakeClock;
  let silent: Server;
  let sockets: Socket[];
  let asked: string;
  let bed: HttpRelay;

  beforeEach(async () => {
    clock = new FakeClock();
    sockets = [];
    asked = '';
    silent = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined).on('data', (bytes) => (asked += bytes.toString('latin1')));
    });
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
  });
  afterEach(async () => {
    await bed.stop();
    for (const socket of sockets) socket.destroy();
    silent.close();
    await once(silent, 'close');
  });

  async function listen(scheme: string): Promise<void> {
    const address = parseTargetAddress(`${scheme}://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    bed = await HttpRelay.start({ clock, target: undefined, address });
  }

  it('to the TLS handshake is 504 after the limit for dialing', async () => {
    await listen('https');
    bed.request('r1');
    await until(() => asked !== '', 'the TLS handshake');
    clock.advance(10_000);
    const { statusCode, statusDescription } = await bed.response('r1');
    assert.equal(statusCode, 504);
    assert.match(statusDescription ?? '', /HCM_TARGET_TIMEOUT/);
    await until(() => sockets.every(({ destroyed }) => destroyed), 'the end of the connection to the target');
  });

  it('to the request is left alone after 60 s, when the relay has answered, and the next one is served', async () => {
    await listen('http');
    bed.request('r1', {}, 'body');
    await until(() => asked.endsWith('\r\n\r\nbody'), 'the request');
    clock.advance(60_000);
    await until(() => sockets[0]?.destroyed === true, 'the end of the connection to the target');
    await until(() => bed.log.of('request').length === 1);
    assert.equal(bed.log.of('request')[0]?.error?.code, 'HCM_TARGET_TIMEOUT');
    assert.equal(bed.channel.messages.length, 0, 'nobody waits for a late answer');
    bed.request('r2');
    await until(() => sockets.length === 2);
    await until(() => asked.includes('GET /page?x=1'));
    sockets[1]?.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    assert.equal((await bed.response('r2')).bytes?.toString(), 'ok');
  });

  it('is left alone when the listener is stopped without grace', async () => {
    await listen('http');
    bed.request('r1');
    await until(() => asked !== '', 'the request');
    await bed.listener.stop({ graceMs: 0 });
    await until(() => sockets[0]?.destroyed === true, 'the end of the connection to the target');
    assert.equal(bed.log.of('request')[0]?.error?.code, 'HCM_ABORTED');
  });
});
