import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { BUILT_IN_CLOUDS } from '../../../../../src/lib/auth/cloud.ts';
import { firewallList, type ListRequest } from '../../../../../src/lib/services/firewall/firewall-list.ts';
import { tryHosts } from '../../../../../src/lib/services/firewall/try-hosts.ts';
import { HcmError } from '../../../../../src/protocol/errors.ts';
import { systemClock } from '../../../../../src/tunnel/clock.ts';
import { namesOf } from '../../../../helpers/doctor-bed.ts';

const [cloud] = BUILT_IN_CLOUDS;
assert.ok(cloud);
const signal = new AbortController().signal;

const list = (host: string, dns: ListRequest['dns'], port = 443) =>
  firewallList({ endpoint: { host, port }, cloud, dns, clock: systemClock });

describe('what a firewall must let out', () => {
  const stamped = namesOf({
    aliases: ['ns-prod-am3-003.cloudapp.net'],
    exists: (host) => /^gv?\d-/.test(host),
  });

  it('is the namespace, its gateways, and for the future the names of those to come', async () => {
    const { relay, wildcard, stamp } = await list('my-relay.servicebus.windows.net', stamped);
    assert.deepEqual([relay.length, stamp, wildcard], [257, 'prod-am3-003', '*.servicebus.windows.net']);
    assert.deepEqual(relay[0], {
      host: 'my-relay.servicebus.windows.net',
      port: '443',
      purpose: 'namespace',
    });
    assert.deepEqual(
      [relay.filter(({ exists }) => exists).length, relay.filter(({ exists }) => exists === false).length],
      [20, 236],
    );
  });

  it('sign-in and management are apart, and of the cloud that the namespace is in', async () => {
    const { azure } = await list('my-relay.servicebus.usgovcloudapi.net', stamped);
    assert.deepEqual(
      azure.map(({ host, port }) => `${host} ${port}`),
      ['login.microsoftonline.us 443', 'management.usgovcloudapi.net 443'],
    );
  });

  it('over a private endpoint a listener has more ports', async () => {
    const aliases = ['my-relay.privatelink.servicebus.windows.net', 'ns-prod-am3-003.cloudapp.net'];
    const { relay, privateLink } = await list('my-relay.servicebus.windows.net', namesOf({ aliases }));
    assert.equal(privateLink, true);
    assert.deepEqual(relay[1], {
      ...{ host: 'my-relay.servicebus.windows.net', port: '9400-9599', purpose: 'private-endpoint' },
    });
  });

  it('without a stamp is the namespace, and a wildcard that covers the gateways', async () => {
    const { relay, stamp, wildcard } = await list('my-relay.servicebus.windows.net', namesOf({}));
    assert.deepEqual([relay.length, stamp, wildcard], [1, undefined, '*.servicebus.windows.net']);
  });

  it('is nothing for the emulator, but its port is said', async () => {
    const found = await list('localhost', namesOf({}), 5671);
    assert.deepEqual(
      [found.local, found.relay, found.azure],
      [true, [{ host: 'localhost', port: '5671', purpose: 'namespace' }], []],
    );
  });

  it('is tried a few at a time; names to come and ranges of ports are not dialed', async () => {
    const aliases = ['my-relay.privatelink.servicebus.windows.net', 'ns-prod-am3-003.cloudapp.net'];
    const { relay } = await list(
      'my-relay.servicebus.windows.net',
      namesOf({ aliases, exists: (host) => host.startsWith('g') && !host.startsWith('gv') }),
    );
    let [underWay, most, dialed] = [0, 0, 0];
    const tried = await tryHosts(relay, {
      ...{ clock: systemClock, signal },
      dial: async (host) => {
        dialed += 1;
        most = Math.max(most, (underWay += 1));
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        if (host.startsWith('g7-')) throw new HcmError('HCM_CONNECT_TIMEOUT', `No connection to ${host}`);
        return new Socket();
      },
    });
    assert.deepEqual([dialed, most], [129, 16]);
    const of = (result: string) => tried.filter(({ trial }) => trial.result === result);
    assert.deepEqual(
      [of('ok').length, of('future').length, of('untried').length, of('failed').map(({ host }) => host)],
      [128, 128, 1, ['g7-prod-am3-003-sb.servicebus.windows.net']],
    );
  });

  it('a signal ends the trial', async () => {
    const controller = new AbortController();
    const hosts = [{ host: 'a', port: '443', purpose: 'gateway' as const }];
    const trial = tryHosts(hosts, {
      ...{ clock: systemClock, signal: controller.signal },
      dial: () => {
        controller.abort(new Error('Ctrl-C'));
        return Promise.reject(new Error('aborted'));
      },
    });
    await assert.rejects(trial, /aborted/);
  });
});
