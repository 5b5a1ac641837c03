import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { systemClock } from '../../../src/tunnel/clock.ts';
import { RelayDialer } from '../../../src/tunnel/relay-dialer.ts';
import { TestProxy } from '../../helpers/proxies.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { rejectsWith } from '../../helpers/tunnel.ts';

// RFC 8446, 4.2: the numbers of extensions and of what stands in them, in hex as on the wire.
const SUPPORTED_VERSIONS = '002b';
const SUPPORTED_GROUPS = '000a';
const KEY_SHARE = '0033';
const [TLS_1_3, TLS_1_2] = ['0304', '0303'];
const [P_384, X25519, P_256] = ['0018', '001d', '0017'];

describe('the first message of TLS to the relay', () => {
  expectNothingLeft();
  let server: Server;
  let proxy: TestProxy;
  let hello: Promise<string>;

  beforeEach(async () => {
    server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await TestProxy.start('http', { toPort: (server.address() as AddressInfo).port });
    hello = once(server, 'connection').then(async ([socket]: Socket[]) => {
      const [bytes] = (await once(socket as Socket, 'data')) as [Buffer];
      socket?.on('error', () => undefined).destroy();
      return bytes.toString('hex');
    });
  });
  afterEach(async () => {
    server.close();
    await proxy.stop();
  });

  async function dialed(host: string): Promise<string> {
    const dialer = new RelayDialer({ proxyFor: () => proxy.address() }, systemClock);
    await rejectsWith(dialer.dial(host, (server.address() as AddressInfo).port), 'HCM_CONNECT_FAILED');
    return hello;
  }

  it('offers TLS 1.2 and 1.3 and nothing older', async () => {
    assert.ok(
      (await dialed('ns.servicebus.windows.net')).includes(`${SUPPORTED_VERSIONS}000504${TLS_1_3}${TLS_1_2}`),
    );
  });

  it('offers Azure P-384 first, with its key: another one costs a round trip', async () => {
    const bytes = await dialed('ns.servicebus.windows.net');
    assert.ok(bytes.includes(`${SUPPORTED_GROUPS}00080006${P_384}${X25519}${P_256}`));
    assert.match(bytes, new RegExp(`${KEY_SHARE}........${P_384}0061`), 'a point of 97 bytes');
  });

  it('names the host that is wanted, to the proxy and in TLS', async () => {
    const bytes = await dialed('ns.servicebus.windows.net');
    assert.ok(bytes.includes(Buffer.from('ns.servicebus.windows.net').toString('hex')));
    assert.match(proxy.asked[0] ?? '', /^ns\.servicebus\.windows\.net:/);
  });
});
