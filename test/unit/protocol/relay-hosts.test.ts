import assert from 'node:assert/strict';
import {
  checkRendezvousAddress,
  cloudSuffixOf,
  isLoopbackName,
  isRelayNamespaceHost,
} from '../../../src/protocol/relay-hosts.ts';
import { HcmError } from '../../../src/protocol/errors.ts';

describe('isRelayNamespaceHost', () => {
  it('knows every cloud, private links and local Azure', () => {
    for (const host of [
      'ns1.servicebus.windows.net',
      'NS1.ServiceBus.usgovcloudapi.net.',
      'ns1.servicebus.chinacloudapi.cn',
      'ns1.servicebus.cloudapi.de',
      'ns1.privatelink.servicebus.windows.net',
      'local-relay.servicebus.localhost',
    ]) {
      assert.ok(isRelayNamespaceHost(host), host);
    }
  });

  it('is not fooled by names that only look alike', () => {
    for (const host of [
      'servicebus.windows.net',
      'ns1.servicebus.windows.net.evil.example',
      'evilservicebus.windows.net',
      'a.b.servicebus.windows.net',
      '-x.servicebus.windows.net',
    ]) {
      assert.ok(!isRelayNamespaceHost(host), host);
    }
  });
});

describe('cloudSuffixOf', () => {
  it('names the suffix, and nothing for other hosts', () => {
    assert.equal(cloudSuffixOf('g1-prod.servicebus.chinacloudapi.cn'), 'servicebus.chinacloudapi.cn');
    assert.equal(cloudSuffixOf('example.com'), undefined);
  });
});

describe('isLoopbackName', () => {
  it('takes names and addresses of this machine only', () => {
    for (const host of [
      'localhost',
      'LOCALHOST.',
      'a.b.localhost',
      '127.0.0.1',
      '127.9.8.7',
      '::1',
      '[::1]',
    ]) {
      assert.ok(isLoopbackName(host), host);
    }
    for (const host of [
      'localhost.example',
      '127.0.0.1.example',
      '127.0.0.256',
      '128.0.0.1',
      '::2',
      'xlocalhost',
      '',
    ]) {
      assert.ok(!isLoopbackName(host), host);
    }
  });
});

describe('checkRendezvousAddress', () => {
  const accept = (address: string, namespaceHost: string): string => {
    try {
      return checkRendezvousAddress(address, namespaceHost).host;
    } catch (error) {
      assert.ok(error instanceof HcmError);
      assert.equal(error.code, 'HCM_HANDSHAKE_FAILED');
      assert.ok(!error.message.includes('secret'), error.message);
      return String(error.details['reason']);
    }
  };
  const ns = 'ns1.servicebus.windows.net';

  const table: [what: string, address: string, namespaceHost: string, result: string][] = [
    [
      'takes a gateway of the same cloud',
      'wss://g1-prod-sb.servicebus.windows.net/$hc/a?secret',
      ns,
      'g1-prod-sb.servicebus.windows.net',
    ],
    [
      'takes the ports of private links',
      'wss://g1-sb.servicebus.windows.net:9400/?secret',
      'ns1.privatelink.servicebus.windows.net',
      'g1-sb.servicebus.windows.net:9400',
    ],
    [
      'refuses a gateway of another cloud',
      'wss://g1.servicebus.chinacloudapi.cn/?secret',
      ns,
      'foreign-host',
    ],
    ['refuses a host that only ends alike', 'wss://evilservicebus.windows.net/?secret', ns, 'foreign-host'],
    ['refuses this machine for a namespace in Azure', 'wss://127.0.0.1:22/?secret', ns, 'foreign-host'],
    ['refuses a socket without TLS', 'ws://g1.servicebus.windows.net/?secret', ns, 'not-wss'],
    ['refuses a user in the address', `wss://secret@${ns}/`, ns, 'user-info'],
    ['refuses what is no URL', 'secret', ns, 'not-a-url'],
    ['takes any loopback name for a loopback namespace', 'wss://[::1]:99/?secret', 'localhost', '[::1]:99'],
    [
      'takes localhost for local Azure',
      'wss://localhost:99/?secret',
      'local-relay.servicebus.localhost',
      'localhost:99',
    ],
    ['refuses Azure for a loopback namespace', `wss://${ns}/?secret`, '127.0.0.1', 'foreign-host'],
    [
      'takes the same host elsewhere',
      'wss://Relay.corp.example:8443/?secret',
      'relay.corp.example',
      'relay.corp.example:8443',
    ],
    [
      'refuses a neighbour under a short suffix',
      'wss://other.corp.example/?secret',
      'relay.corp.example',
      'foreign-host',
    ],
    [
      'takes a neighbour under a deep suffix',
      'wss://g1.sb.stack.corp.example/?secret',
      'ns.sb.stack.corp.example',
      'g1.sb.stack.corp.example',
    ],
    ['refuses a neighbouring address', 'wss://10.0.0.2/?secret', '10.0.0.1', 'foreign-host'],
  ];
  for (const [what, address, namespaceHost, result] of table) {
    it(what, () => assert.equal(accept(address, namespaceHost), result));
  }
});
