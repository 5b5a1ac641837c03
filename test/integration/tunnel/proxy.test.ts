import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import type { Proxy } from '../../../src/tunnel/options.ts';
import { connectThroughProxy } from '../../../src/tunnel/proxy.ts';
import { TestProxy, type ProxyBehaviour } from '../../helpers/proxies.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { destroySockets } from '../../helpers/socket-pair.ts';
import { makeCertificate } from '../../helpers/tls-certificate.ts';
import { TunnelBed, outcomeOf, tcpClient } from '../../helpers/tunnel-bed.ts';
import { rejectsWith } from '../../helpers/tunnel.ts';
import { until } from '../../helpers/until.ts';

const RELAY_NAME = 'relay.corp.example';

for (const kind of ['http', 'socks5'] as const) {
  describe(`a ${kind} proxy`, () => {
    expectNothingLeft();
    let proxy: TestProxy;
    const never = new AbortController().signal;

    afterEach(() => proxy.stop());

    const to = { host: RELAY_NAME, port: 443 };
    const start = async (behaviour: Partial<ProxyBehaviour> = {}) =>
      (proxy = await TestProxy.start(kind, { toPort: 1, ...behaviour }));
    const dial = (address: Proxy = proxy.address(), signal = never) =>
      connectThroughProxy(address, to, signal);

    it('leads the listener, its rendezvous and the sender to the relay, by name', async () => {
      const { bed, ca, port } = await bedBehindTls();
      await start({ toPort: port, username: 'us:er', password: 'pä ss' });
      const options = { ca: [ca], proxyFor: () => proxy.address() };
      const endpoint = { host: RELAY_NAME, port: 443 };
      const target = await bed.target((socket) => socket.pipe(socket));
      const [listening, sending] = [bed.connection('listener'), bed.connection('sender')];
      await bed.onlineListener({ target, ...options }, { ...listening, endpoint });
      const client = await tcpClient(await bed.localPort(bed.sender(options, { ...sending, endpoint })));
      const outcome = outcomeOf(client);
      client.end('through the proxy');
      assert.equal((await outcome.over).bytes.toString(), 'through the proxy');
      const names = proxy.asked.map((asked) => asked.replace(/:\d+$/, ''));
      assert.deepEqual(names, [RELAY_NAME, RELAY_NAME, RELAY_NAME], 'listener, sender, rendezvous');
      await bed.stop();
    });

    it('is not asked for loopback names', async () => {
      const bed = await TunnelBed.start();
      await start();
      const target = await bed.target((socket) => void socket.end());
      await bed.onlineListener({ target, proxyFor: () => assert.fail('the proxy was looked up') });
      await bed.stop();
    });

    it('cannot make a certificate trusted that is for another name', async () => {
      const { bed, ca, port } = await bedBehindTls();
      await start({ toPort: port });
      const endpoint = { host: 'other.corp.example', port: 443 };
      const options = { ca: [ca], proxyFor: () => proxy.address() };
      const sender = bed.sender(options, { ...bed.connection('sender'), endpoint });
      await rejectsWith(sender.open(), 'HCM_TLS_UNTRUSTED');
      await bed.stop();
    });

    it('that wants to know who we are is told apart', async () => {
      await start({ username: 'user', password: 's3cret' });
      const none = await rejectsWith(dial(proxy.address({})), 'HCM_PROXY_AUTH_REQUIRED');
      assert.match(none.message, /127\.0\.0\.1:\d+/);
      const wrong = { username: 'user', password: 'wr0ng' };
      const error = await rejectsWith(dial(proxy.address(wrong)), 'HCM_PROXY_AUTH_REQUIRED');
      assert.doesNotMatch(JSON.stringify([error.message, error.details]), /wr0ng/);
      assert.equal(error.retryable, false);
    });

    it('that refuses is named, with what it said', async () => {
      await start({ refuseWith: 403 });
      const error = await rejectsWith(dial(), 'HCM_PROXY_FAILED');
      assert.match(error.message, kind === 'http' ? /403 Not here/ : /not ?allowed/i);
    });

    it('that is not there is named', async () => {
      await start();
      const error = await rejectsWith(dial({ kind, host: '127.0.0.1', port: 1 }), 'HCM_PROXY_FAILED');
      assert.match(error.message, /127\.0\.0\.1:1/);
      assert.equal(error.details['seen'], 'ECONNREFUSED');
    });

    it('that says nothing is left without a trace when time is up', async () => {
      await start({ silent: true });
      const controller = new AbortController();
      const dialing = assert.rejects(dial(proxy.address(), controller.signal), /time is up/);
      await until(() => proxy.openSockets === 1);
      controller.abort(new Error('time is up'));
      await dialing;
      await until(() => proxy.openSockets === 0, 'the end of the connection to the proxy');
    });

    it('that hangs up in the middle is an error', async () => {
      await start({ silent: true });
      const dialing = rejectsWith(dial(), 'HCM_PROXY_FAILED');
      await until(() => proxy.openSockets === 1);
      await proxy.stop();
      await dialing;
      await start();
    });
  });
}

/** A relay with a certificate of a private authority for a name that is not loopback. */
async function bedBehindTls() {
  const bed = await TunnelBed.start({ insecure: true });
  const { ca, cert, key } = await makeCertificate(RELAY_NAME);
  const server = tls.createServer({ cert, key, allowHalfOpen: true }, (socket) => {
    const onward = connect({ port: bed.emulator.port, host: '127.0.0.1', allowHalfOpen: true });
    const sockets: Socket[] = [socket, onward];
    for (const each of sockets) each.on('error', () => sockets.forEach((other) => other.destroy()));
    socket.pipe(onward).pipe(socket);
    bed.onStop(() => destroySockets(...sockets));
  });
  server.on('tlsClientError', () => undefined);
  server.on('connection', (socket: Socket) => bed.onStop(() => void socket.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  bed.onStop(() => void server.close());
  return { bed, ca, port: (server.address() as AddressInfo).port };
}
