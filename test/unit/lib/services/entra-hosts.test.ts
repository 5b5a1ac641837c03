// A token of Entra ID opens every relay that its identity may use: whoever may name a connection must not get one.
import assert from 'node:assert/strict';
import { BUILT_IN_CLOUDS, type Cloud } from '../../../../src/lib/auth/cloud.ts';
import { accessByEntra } from '../../../../src/lib/services/connection-access.ts';

const [PUBLIC] = BUILT_IN_CLOUDS;
const HUB: Cloud = { ...(PUBLIC as Cloud), name: 'hub', relaySuffix: 'servicebus.hub.corp.example' };

describe('a token of Entra ID', () => {
  const ask = (cloud: Cloud, namespace: string) => {
    const getToken = () => Promise.resolve({ text: 'eyJ', expiresAtMs: 1 });
    const { endpoint, path, tokens } = accessByEntra(cloud, { namespace, name: 'db' }, getToken);
    return tokens?.token({ host: endpoint.host, path });
  };

  for (const [cloud, namespace] of [
    [PUBLIC, 'my-relay'],
    [PUBLIC, 'My-Relay.ServiceBus.Windows.net.'],
    [PUBLIC, 'my-relay.privatelink.servicebus.windows.net'],
    [PUBLIC, 'my-relay.servicebus.usgovcloudapi.net'],
    [PUBLIC, 'localhost:5671'],
    [PUBLIC, 'my-relay.servicebus.localhost:5671'],
    [HUB, 'my-relay.servicebus.hub.corp.example'],
  ] as const)
    it(`goes to ${namespace}`, async () => {
      assert.equal((await ask(cloud as Cloud, namespace))?.text, 'eyJ');
    });

  for (const namespace of [
    'relay.evil.example',
    'servicebus.windows.net.evil.example',
    'evilservicebus.windows.net',
    'my-relay.servicebus.windows.net.evil',
    'localhost.evil.example',
    '10.1.2.3',
    '[::ffff:10.1.2.3]:443',
  ])
    it(`does not go to ${namespace}`, async () => {
      await assert.rejects(async () => ask(PUBLIC as Cloud, namespace), { code: 'HCM_CONNECTION_INVALID' });
    });
});
