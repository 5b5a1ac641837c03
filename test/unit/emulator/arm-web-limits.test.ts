/** How many hybrid connections a plan takes, by its SKU, and what it says of them. */
import { deepEqual, equal } from 'node:assert/strict';
import { parseSku, tierOf } from '../../../src/emulator/arm/web/skus.ts';
import { at, WebBed } from './arm-web-bed.ts';

describe("a plan's hybrid connections", () => {
  let bed: WebBed;
  beforeEach(() => (bed = new WebBed()));

  const limit = async (plan: string) => {
    const { body } = await bed.ask('GET', `serverfarms/${plan}/hybridConnectionPlanLimits/limit`);
    return (body as { properties: object }).properties;
  };
  const planWith = async (sku: string, ...apps: string[]) => {
    await bed.putPlan('plan', sku);
    for (const app of apps) await bed.putSite(app, 'plan');
  };

  it('count once each, however many apps and slots use them', async () => {
    for (const app of ['local-app', 'local-app/slots/staging', 'local-func']) await bed.attach(app, 'orders');
    await bed.attach('local-func', 'stock');
    deepEqual(await limit('local-plan'), { current: 2, maximum: 25 });
    const { body } = await bed.ask('GET', 'serverfarms/local-plan/hybridConnectionPlanLimits/limit');
    deepEqual(
      [at(body, 'name'), at(body, 'type')],
      ['limit', 'Microsoft.Web/serverfarms/hybridConnectionPlanLimits'],
    );
  });

  it('are five on Basic; one that others have already is refused as well once it is full', async () => {
    await planWith('B2', 'app-a', 'app-b');
    for (const name of ['1', '2', '3', '4', '5']) equal((await bed.attach('app-a', name)).status, 200);
    deepEqual(await limit('plan'), { current: 5, maximum: 5 });
    for (const name of ['6', '1']) {
      const { status, body } = await bed.attach('app-b', name);
      deepEqual([status, at(body, 'Code')], [400, 'BadRequest']);
      equal(
        at(body, 'Message'),
        'Adding a Hybrid Connection failed because it would exceed the allowed amount of 5 connections',
      );
    }
    // What is attached can still be changed.
    equal((await bed.attach('app-a', '3', { sendKeyValue: 'new' })).status, 200);
    await bed.ask('DELETE', 'sites/app-a/hybridConnectionNamespaces/local-relay/relays/5');
    equal((await bed.attach('app-b', '1')).status, 200);
    deepEqual(await limit('plan'), { current: 4, maximum: 5 });
  });

  it('are counted in each app and slot on Premium', async () => {
    await planWith('P1v3', 'app-a', 'app-b');
    const relays = Array.from({ length: 220 }, (_, at) => ({
      ...{ namespace: 'local-relay', name: `r${at}`, relayArmUri: bed.relayId('x'), hostname: 'h', port: 1 },
      ...{ sendKeyName: '', sendKeyValue: '', serviceBusSuffix: '' },
    }));
    bed.state.sites.find(({ name }) => name === 'app-a')!.relays = relays;
    equal((await bed.attach('app-a', 'one-more')).status, 400);
    equal((await bed.attach('app-b', 'one-more')).status, 200);
    deepEqual(await limit('plan'), { current: 221, maximum: 220 });
  });

  for (const sku of ['F1', 'D1', 'Y1']) {
    it(`are none on ${sku}`, async () => {
      await planWith(sku, 'app-a');
      const { status, body } = await bed.attach('app-a', 'orders');
      equal(status, 400);
      equal(
        at(body, 'Message'),
        'Adding a Hybrid Connection failed because it would exceed the allowed amount of 0 connections',
      );
      deepEqual(await limit('plan'), { current: 0, maximum: 0 });
    });
  }

  it('are listed with their ids in the plan, and only listKeys tells a key', async () => {
    await bed.attach('local-app/slots/staging', 'orders');
    await bed.attach('local-func', 'orders', { sendKeyValue: 'another' });
    const path = 'serverfarms/local-plan/hybridConnectionNamespaces/local-relay/relays/orders';
    const one = await bed.ask('GET', path);
    equal(at(one.body, 'id'), `${bed.group}/${path}`);
    equal(at(one.body, 'type'), 'Microsoft.Web/serverfarms/hybridConnectionNamespaces/relays');
    equal(at(one.body, 'properties.sendKeyValue'), '');
    deepEqual(at((await bed.ask('GET', 'serverfarms/local-plan/hybridConnectionRelays')).body, 'value'), [
      one.body,
    ]);
    const keys = await bed.ask('POST', `${path}/listKeys`);
    deepEqual(at(keys.body, 'properties'), { sendKeyName: 'defaultSender', sendKeyValue: 'key of orders' });
    const users = await bed.ask('GET', `${path}/sites`);
    const texts = at(users.body, 'value') as string[];
    deepEqual(
      texts.map((text) => (JSON.parse(text) as { name: string }).name),
      ['local-app(staging)', 'local-func'],
    );
  });

  it('are taken from all apps of the plan by a DELETE in the plan, once', async () => {
    for (const app of ['local-app', 'local-app/slots/staging', 'local-func']) await bed.attach(app, 'orders');
    const path = 'serverfarms/local-plan/hybridConnectionNamespaces/local-relay/relays/orders';
    equal((await bed.ask('DELETE', path)).status, 200);
    deepEqual(await limit('local-plan'), { current: 0, maximum: 25 });
    equal((await bed.ask('DELETE', path)).status, 204);
    for (const [method, end] of [
      ['GET', ''],
      ['POST', '/listKeys'],
      ['GET', '/sites'],
    ] as const) {
      equal((await bed.ask(method, path + end)).status, 404);
    }
    equal(
      at((await bed.ask('GET', 'serverfarms/none/hybridConnectionRelays')).body, 'Message'),
      'Cannot find ServerFarm with name none.',
    );
  });
});

describe('a SKU', () => {
  it('is read in whatever way clients write it', () => {
    const name = (value: unknown) => parseSku(value)?.name;
    deepEqual([{ name: 's1' }, { tier: 'STANDARD' }, { size: 'S1', tier: 'Standard' }].map(name), [
      'S1',
      'S1',
      'S1',
    ]);
    deepEqual(
      ['P1V3', 'p1mv3', 'i1v2', 'ep1'].map((text) => name({ name: text })),
      ['P1v3', 'P1mv3', 'I1v2', 'EP1'],
    );
    deepEqual([{ name: 'Z9' }, {}, { tier: 'Gold' }, undefined].map(name), [
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    const existing = parseSku({ name: 'S2', capacity: 3 });
    deepEqual(parseSku({ capacity: 5 }, existing), { ...existing, capacity: 5 });
  });

  it('has a limit in every tier of the documentation', () => {
    const limits = ['F1', 'D1', 'B1', 'B3', 'S1', 'S3', 'P1V2', 'P3V3', 'I1V2', 'Y1', 'EP1'].map((sku) => {
      const { maximum, per } = tierOf(sku)!.hybridConnections;
      return `${sku} ${maximum} ${per}`;
    });
    deepEqual(limits, [
      ...['F1 0 plan', 'D1 0 plan', 'B1 5 plan', 'B3 5 plan', 'S1 25 plan', 'S3 25 plan', 'P1V2 220 app'],
      ...['P3V3 220 app', 'I1V2 220 app', 'Y1 0 plan', 'EP1 220 app'],
    ]);
  });
});
