// Clouds that are added by their Resource Manager's document: its forms, a private CA, and proxies on the way.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fetchCloud } from '../../../src/lib/auth/metadata.ts';
import { createEmulator, type Emulator } from '../../../src/emulator/create-emulator.ts';
import type { Proxy } from '../../../src/tunnel/options.ts';
import { systemClock } from '../../../src/tunnel/clock.ts';
import { RelayDialer } from '../../../src/tunnel/relay-dialer.ts';
import { TestProxy } from '../../helpers/proxies.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { makeCertificate, type TlsCertificate } from '../../helpers/tls-certificate.ts';

const HOST = 'management.hub.corp';
const SMALL = {
  portalEndpoint: 'https://portal.hub.corp/',
  authentication: { loginEndpoint: 'https://adfs.hub.corp/adfs', audiences: [`https://${HOST}/guid-1`] },
};
const listed = (resourceManager: string, name: string) => ({
  ...{ name, resourceManager, portal: 'https://portal.hub.corp/' },
  authentication: {
    ...{ loginEndpoint: 'https://login.hub.corp/', tenant: 'common' },
    audiences: [`https://${name}/`, 'https://other/'],
  },
  suffixes: { storage: 'hub.corp' },
});

describe('a cloud that is added by its Resource Manager', () => {
  expectNothingLeft();
  let certificate: TlsCertificate;
  let server: Server;
  let emulator: Emulator | undefined;
  let proxy: TestProxy | undefined;
  /** By api-version; others are refused. */
  let documents: Record<string, unknown> = {};

  before(async () => (certificate = await makeCertificate(HOST)));
  beforeEach(async () => {
    const { cert, key } = certificate;
    server = createServer({ cert, key }, (request, answer) => {
      const url = new URL(request.url ?? '', `https://${HOST}`);
      const document = documents[url.searchParams.get('api-version') ?? ''];
      answer.writeHead(url.pathname === '/metadata/endpoints' && document !== undefined ? 200 : 400);
      answer.end(JSON.stringify(document ?? {}));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.close();
    server.closeAllConnections();
    await proxy?.stop();
    await emulator?.stop();
    proxy = emulator = undefined;
  });

  const throughProxy = async (kind: Proxy['kind'] = 'http', ca: string[] = [certificate.ca]) => {
    proxy ??= await TestProxy.start(kind, { toPort: (server.address() as AddressInfo).port });
    const address = proxy.address();
    const dialer = new RelayDialer({ ca, proxyFor: () => address }, systemClock);
    return (host: string, port: number) => dialer.dial(host, port);
  };
  const fetch = async (more: object = {}) =>
    fetchCloud({ name: 'hub', endpoint: `https://${HOST}/`, dial: await throughProxy(), ...more });

  it('by the small document of an Azure Stack Hub with AD FS', async () => {
    documents = { '2015-01-01': SMALL };
    assert.deepEqual(await fetch({ caFile: '/hub.pem' }), {
      ...{
        name: 'hub',
        armEndpoint: `https://${HOST}`,
        authority: 'https://adfs.hub.corp',
        tenantId: 'adfs',
      },
      ...{ armScope: `https://${HOST}/guid-1/.default`, relaySuffix: 'servicebus.hub.corp' },
      ...{ relayScope: 'https://relay.azure.net/.default', portal: 'https://portal.hub.corp' },
      caFile: '/hub.pem',
    });
  });

  it('by a list of clouds, of which its own is taken', async () => {
    documents = {
      '2019-05-01': [listed('https://elsewhere', 'elsewhere'), listed(`https://${HOST}/`, HOST)],
    };
    const { authority, armScope, tenantId } = await fetch();
    assert.deepEqual([authority, tenantId], ['https://login.hub.corp', undefined]);
    // The audience ends in a slash, and keeps it.
    assert.equal(armScope, `https://${HOST}//.default`);
  });

  it('by the newest document, of one cloud; the newest is asked for first', async () => {
    documents = { '2022-09-01': listed(`https://${HOST}`, HOST), '2015-01-01': SMALL };
    assert.equal((await fetch()).authority, 'https://login.hub.corp');
  });

  it('with the names of its relays, as they were given', async () => {
    documents = { '2015-01-01': SMALL };
    const { relaySuffix, relayPort } = await fetch({ relaySuffix: '.relay.hub.corp:8443' });
    assert.deepEqual([relaySuffix, relayPort], ['relay.hub.corp', 8443]);
  });

  it('may be the emulator', async () => {
    emulator = await createEmulator();
    const { port, caPem, state } = emulator;
    const dialer = new RelayDialer({ loopbackCa: caPem }, systemClock);
    const endpoint = `https://localhost:${port}`;
    const cloud = await fetchCloud({ name: 'emu', endpoint, dial: (host, at) => dialer.dial(host, at) });
    assert.deepEqual(
      [cloud.authority, cloud.tenantId, cloud.relaySuffix, cloud.relayPort],
      [endpoint, state.tenantId, 'servicebus.localhost', port],
    );
  });

  for (const kind of ['http', 'socks5'] as const) {
    it(`is reached through a ${kind} proxy, which resolves its name`, async () => {
      documents = { '2015-01-01': SMALL };
      const dial = await throughProxy(kind);
      await fetchCloud({ name: 'hub', endpoint: `https://${HOST}`, dial });
      assert.deepEqual(new Set(proxy?.asked), new Set([`${HOST}:443`]));
    });
  }

  it('is not trusted without its CA', async () => {
    documents = { '2015-01-01': SMALL };
    const dial = await throughProxy('http', []);
    await assert.rejects(fetch({ dial }), { code: 'HCM_TLS_UNTRUSTED', message: new RegExp(HOST) });
  });

  it('without such a document is refused; so is what is no https address', async () => {
    for (const nothing of [{}, { '2022-09-01': [] }, { '2015-01-01': { authentication: {} } }]) {
      documents = nothing;
      await assert.rejects(fetch(), { code: 'HCM_CLOUD_INVALID', message: /metadata\/endpoints/ });
    }
    for (const endpoint of ['http://hub.corp', 'hub.corp', 'https://']) {
      await assert.rejects(fetch({ endpoint }), { code: 'HCM_CLOUD_INVALID' });
    }
  });
});
