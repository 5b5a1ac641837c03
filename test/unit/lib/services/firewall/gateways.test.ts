import assert from 'node:assert/strict';
import { gatewayHosts, stampOf, suffixOf } from '../../../../../src/lib/services/firewall/gateways.ts';

describe('the gateways behind a namespace', () => {
  for (const [aliases, stamp] of [
    [['ns-prod-am3-003.cloudapp.net'], 'prod-am3-003'],
    [['NS-SB2-PROD-BY3-010.cloudapp.net'], 'prod-by3-010'],
    // A namespace may be called so itself; only its private endpoint has its name among the aliases.
    [['ns-mine.privatelink.servicebus.windows.net', 'ns-sb2-prod-am3-510.cloudapp.net'], 'prod-am3-510'],
    [['my-relay.privatelink.servicebus.windows.net'], undefined],
    [['front.example.com'], undefined],
    [[], undefined],
  ] as const) {
    it(`${aliases.join(' -> ') || 'no alias'}: ${stamp ?? 'no stamp'}`, () => {
      assert.equal(stampOf(aliases), stamp);
    });
  }

  it('are 128 of each kind, under the suffix of the namespace', () => {
    const hosts = gatewayHosts('my-relay.servicebus.usgovcloudapi.net', 'prod-dm2-001');
    assert.deepEqual(
      [hosts.length, hosts[0], hosts[127], hosts[128], hosts[255]],
      [
        256,
        'g0-prod-dm2-001-sb.servicebus.usgovcloudapi.net',
        'g127-prod-dm2-001-sb.servicebus.usgovcloudapi.net',
        'gv0-prod-dm2-001-sb.servicebus.usgovcloudapi.net',
        'gv127-prod-dm2-001-sb.servicebus.usgovcloudapi.net',
      ],
    );
  });

  it('are not under the suffix of a private endpoint', () => {
    assert.equal(suffixOf('my-relay.privatelink.servicebus.windows.net'), 'servicebus.windows.net');
  });
});
