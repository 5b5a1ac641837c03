/** Hybrid connections of apps: what is attached, what is answered, what is refused and in which words. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { at, WebBed } from './arm-web-bed.ts';

describe('a hybrid connection of an app', () => {
  let bed: WebBed;
  beforeEach(() => (bed = new WebBed()));

  const relayPath = (app: string, name: string) =>
    `sites/${app}/hybridConnectionNamespaces/local-relay/relays/${name}`;
  const names = async (app: string) => {
    const { body } = await bed.ask('GET', `sites/${app}/hybridConnectionRelays`);
    return (body as { value: { name: string }[] }).value.map(({ name }) => name);
  };

  it('is attached at once, and its send key is never told again', async () => {
    const { status, body } = await bed.attach('local-app', 'orders');
    equal(status, 200);
    deepEqual(body, {
      id: `${bed.group}/sites/local-app/hybridConnectionNamespaces/local-relay/relays/orders`,
      name: 'orders',
      type: 'Microsoft.Web/sites/hybridConnectionNamespaces/relays',
      location: 'West Europe',
      properties: {
        serviceBusNamespace: 'local-relay',
        relayName: 'orders',
        relayArmUri: bed.relayId('orders'),
        hostname: 'db',
        port: 5432,
        sendKeyName: 'defaultSender',
        sendKeyValue: '',
        serviceBusSuffix: '.servicebus.windows.net',
      },
    });
    deepEqual((await bed.ask('GET', relayPath('LOCAL-APP', 'ORDERS'))).body, body);
    const list = await bed.ask('GET', 'sites/local-app/hybridConnectionRelays');
    deepEqual(list.body, { value: [body], nextLink: null, id: null });
    equal(bed.state.sites[0]?.relays[0]?.sendKeyValue, 'key of orders');
  });

  it('is attached to a slot for itself, under the type of the app', async () => {
    const { body } = await bed.attach('local-app/slots/staging', 'orders');
    match(
      String(at(body, 'id')),
      /\/sites\/local-app\/slots\/staging\/hybridConnectionNamespaces\/local-relay\/relays\/orders$/,
    );
    equal(at(body, 'type'), 'Microsoft.Web/sites/hybridConnectionNamespaces/relays');
    deepEqual(await names('local-app'), []);
    deepEqual(await names('local-app/slots/staging'), ['orders']);
  });

  it('is attached to a Functions app on a dedicated plan like to any other', async () => {
    equal((await bed.attach('local-func', 'orders')).status, 200);
    deepEqual(await names('local-func'), ['orders']);
  });

  it('goes by the names in the path, whatever the body says', async () => {
    const { body } = await bed.attach('local-app', 'orders', {
      serviceBusNamespace: 'other',
      relayName: 'x',
    });
    deepEqual(
      [at(body, 'properties.serviceBusNamespace'), at(body, 'properties.relayName')],
      ['local-relay', 'orders'],
    );
  });

  it('is attached again without a second entry, and a PUT without a key leaves none', async () => {
    await bed.attach('local-app', 'orders');
    await bed.attach('local-app', 'Orders', { hostname: 'db2', sendKeyValue: undefined });
    deepEqual(await names('local-app'), ['orders']);
    const [relay] = bed.state.sites[0]?.relays ?? [];
    deepEqual([relay?.hostname, relay?.sendKeyValue], ['db2', '']);
  });

  it('is changed by PATCH in what the body says and nothing else', async () => {
    await bed.attach('local-app', 'orders');
    const patched = await bed.ask('PATCH', relayPath('local-app', 'orders'), {
      properties: { sendKeyValue: 'new' },
    });
    equal(patched.status, 200);
    equal(at(patched.body, 'properties.sendKeyValue'), '');
    const [relay] = bed.state.sites[0]?.relays ?? [];
    deepEqual([relay?.sendKeyValue, relay?.hostname, relay?.sendKeyName], ['new', 'db', 'defaultSender']);
    equal((await bed.ask('PATCH', relayPath('local-app', 'other'), { properties: {} })).status, 404);
  });

  it('is detached once; the second time it is not found', async () => {
    await bed.attach('local-app', 'orders');
    const path = relayPath('local-app', 'orders');
    const first = await bed.ask('DELETE', path);
    deepEqual([first.status, first.body], [200, undefined]);
    deepEqual(await names('local-app'), []);
    const second = await bed.ask('DELETE', path);
    deepEqual([second.status, at(second.body, 'Code')], [404, 'NotFound']);
  });

  it('may lead to another subscription', async () => {
    const other = structuredClone(bed.state.namespaces[0]!);
    const id = bed.relayId('orders');
    bed.state.namespaces[0]!.connections = [];
    bed.state.namespaces.push({ ...other, subscriptionId: 'f0000000-0000-4000-8000-000000000000' });
    const put = (relayArmUri: string) =>
      bed.ask('PUT', relayPath('local-app', 'orders'), {
        properties: { relayArmUri, hostname: 'db', port: 1 },
      });
    bed.state.namespaces[1]!.connections = [{ ...structuredClone(other.connections[0]!), name: 'orders' }];
    equal((await put(id)).status, 404);
    equal(
      (await put(id.replace(bed.state.subscriptionId, 'F0000000-0000-4000-8000-000000000000'))).status,
      200,
    );
  });

  it('is refused when it leads nowhere, or has no host or port', async () => {
    const missing = await bed.attach('local-app', 'orders', {
      relayArmUri: bed.relayId('x').replace(/x$/, 'gone'),
    });
    deepEqual(
      [missing.status, at(missing.body, 'Code'), at(missing.body, 'Message')],
      [...[404, 'NotFound', 'Cannot find HybridConnection with name gone.']],
    );
    for (const wrong of [
      ...[{ relayArmUri: undefined }, { relayArmUri: 'orders' }, { relayArmUri: 5 }, { hostname: '' }],
      ...[{ port: 0 }, { port: 65_536 }, { port: 'http' }, { port: undefined }],
    ]) {
      const { status, body } = await bed.attach('local-app', 'orders', wrong);
      deepEqual([status, at(body, 'Code')], [400, 'BadRequest'], JSON.stringify(wrong));
      equal(at(body, 'Details.2.ErrorEntity.Parameters.0'), Object.keys(wrong)[0]);
    }
    deepEqual(await names('local-app'), []);
    equal(bed.changes, 0);
  });

  it("is refused at apps that are not there in App Service's own words", async () => {
    const { status, headers, body } = await bed.attach('nobody', 'orders');
    equal(status, 404);
    equal(headers['Server'], 'Microsoft-IIS/10.0');
    const Message = 'Cannot find WebSite with name nobody.';
    deepEqual(body, {
      ...{ Code: 'NotFound', Message, Target: null, Innererror: null },
      Details: [
        { Message },
        { Code: 'NotFound' },
        {
          ErrorEntity: {
            ...{ ExtendedCode: '51004', MessageTemplate: 'Cannot find {0} with name {1}.' },
            ...{ Parameters: ['WebSite', 'nobody'], Code: 'NotFound', Message },
          },
        },
      ],
    });
    equal(
      at((await bed.attach('local-app/slots/none', 'orders')).body, 'Message'),
      'Cannot find WebSite with name local-app(none).',
    );
  });

  it('meets an exclusive lock as often as the fault says', async () => {
    bed.faults.exclusiveLocks = 2;
    for (const time of ['first', 'second']) {
      const { status, headers, body } = await bed.attach('local-app', 'orders');
      deepEqual([status, at(body, 'Code')], [429, '429'], time);
      equal(
        at(body, 'Message'),
        'Cannot acquire exclusive lock to create, update or delete this site. Retry the request later.',
      );
      equal(at(body, 'Details.2.ErrorEntity.ExtendedCode'), '59206');
      equal('Retry-After' in headers, false);
    }
    equal((await bed.ask('GET', 'sites/local-app/hybridConnectionRelays')).status, 200);
    equal((await bed.attach('local-app', 'orders')).status, 200);
  });
});
