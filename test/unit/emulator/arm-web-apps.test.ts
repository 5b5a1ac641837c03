/** Plans, apps and slots: made, changed, deleted, listed; what they look like, and what is refused. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { at, WebBed, type Answer } from './arm-web-bed.ts';

const namesIn = ({ body }: Answer) => (body as { value: { name: string }[] }).value.map(({ name }) => name);
const failure = ({ status, body }: Answer): unknown[] => {
  const { Code, error } = body as { Code?: string; error?: { code: string } };
  return [status, Code ?? error?.code];
};

describe('a plan of App Service', () => {
  let bed: WebBed;
  beforeEach(() => (bed = new WebBed()));

  it('is made, read, listed, changed and deleted', async () => {
    const made = await bed.ask('PUT', 'serverfarms/plan', {
      ...{ location: 'North Europe', kind: 'linux', sku: { name: 'p1v3', capacity: 2 } },
      ...{ tags: { team: 'a' }, properties: { reserved: true } },
    });
    equal(made.status, 200);
    match(made.headers['etag'] ?? '', /^"[0-9A-F]{15}"$/);
    const { body } = await bed.ask('GET', 'serverfarms/PLAN');
    deepEqual(
      [at(body, 'kind'), at(body, 'location'), at(body, 'tags')],
      ['linux', 'North Europe', { team: 'a' }],
    );
    deepEqual(at(body, 'sku'), { name: 'P1v3', tier: 'PremiumV3', size: 'P1v3', family: 'Pv3', capacity: 2 });
    deepEqual(
      [at(body, 'properties.reserved'), at(body, 'properties.webSpace')],
      [true, 'local-NorthEuropewebspace-Linux'],
    );
    deepEqual(namesIn(await bed.ask('GET', 'serverfarms')), ['local-plan', 'plan']);
    const subscription = bed.group.replace('/resourceGroups/local', '');
    deepEqual(namesIn(await bed.ask('GET', `${subscription}/serverfarms`)), ['local-plan', 'plan']);
    const scaled = await bed.ask('PATCH', 'serverfarms/plan', { sku: { capacity: 3 }, tags: {} });
    deepEqual(
      [at(scaled.body, 'sku.name'), at(scaled.body, 'sku.capacity'), at(scaled.body, 'tags')],
      ['P1v3', 3, undefined],
    );
    equal((await bed.ask('DELETE', 'serverfarms/plan')).status, 200);
    equal((await bed.ask('DELETE', 'serverfarms/plan')).status, 204);
    deepEqual(failure(await bed.ask('GET', 'serverfarms/plan')), [404, 'ResourceNotFound']);
  });

  it('is of the kind that its SKU makes it, and free when nobody says one', async () => {
    for (const [sku, kind] of [
      ['Y1', 'functionapp'],
      ['EP1', 'elastic'],
      ['B1', 'app'],
      [undefined, 'app'],
    ] as const) {
      const body = { location: 'westeurope', ...(sku && { sku: { name: sku } }) };
      const answer = await bed.ask('PUT', `serverfarms/plan-${sku}`, body);
      deepEqual([at(answer.body, 'kind'), at(answer.body, 'sku.name')], [kind, sku ?? 'F1']);
    }
  });

  it('is not deleted while apps run on it', async () => {
    const answer = await bed.ask('DELETE', 'serverfarms/local-plan');
    deepEqual(failure(answer), [409, 'Conflict']);
    equal(
      at(answer.body, 'Message'),
      "Server farm 'local-plan' cannot be deleted because it has web app(s) local-app,local-func assigned to it.",
    );
  });

  it('is refused without a region, in an unknown one, in another one, or with an unknown SKU', async () => {
    const put = async (body: object, name = 'plan') =>
      failure(await bed.ask('PUT', `serverfarms/${name}`, body));
    deepEqual(await put({}), [400, 'LocationRequired']);
    deepEqual(await put({ location: 'atlantis' }), [400, 'LocationNotAvailableForResourceType']);
    deepEqual(await put({ location: 'eastus' }, 'local-plan'), [409, 'InvalidResourceLocation']);
    deepEqual(await put({ location: 'eastus', sku: { name: 'Z1' } }), [400, 'BadRequest']);
    deepEqual(namesIn(await bed.ask('GET', 'serverfarms')), ['local-plan']);
  });
});

describe('an app of App Service', () => {
  let bed: WebBed;
  beforeEach(() => (bed = new WebBed()));

  it('is there from the start: with a slot, and one for Functions, on a Standard plan', async () => {
    deepEqual(namesIn(await bed.ask('GET', 'sites')), ['local-app', 'local-func']);
    deepEqual(namesIn(await bed.ask('GET', 'sites?includeSlots=true')), [
      ...['local-app', 'local-app/staging', 'local-func'],
    ]);
    deepEqual(namesIn(await bed.ask('GET', 'sites/local-app/slots')), ['local-app/staging']);
    deepEqual(namesIn(await bed.ask('GET', 'serverfarms/local-plan/sites')), [
      ...['local-app', 'local-app/staging', 'local-func'],
    ]);
    const { body } = await bed.ask('GET', 'sites/local-func');
    deepEqual(
      [at(body, 'kind'), at(body, 'properties.serverFarmId')],
      ['functionapp', `${bed.group}/serverfarms/local-plan`],
    );
    equal(at((await bed.ask('GET', 'serverfarms/local-plan')).body, 'sku.name'), 'S1');
  });

  it('is made with its settings, and keeps by PATCH what is not said', async () => {
    const made = await bed.putSite('app-a', 'local-plan', {
      ...{ tags: { a: 'b' }, kind: 'app' },
      properties: {
        ...{ serverFarmId: 'local-plan', httpsOnly: true },
        siteConfig: {
          alwaysOn: true,
          appSettings: [{ name: 'A', value: '1' }],
          connectionStrings: ['secret'],
        },
      },
    });
    deepEqual([made.status, at(made.body, 'properties.httpsOnly')], [200, true]);
    bed.nowMs += 1_000;
    const patched = await bed.ask('PATCH', 'sites/app-a', { properties: { httpsOnly: false } });
    equal(at(patched.body, 'properties.httpsOnly'), false);
    const { body, headers } = await bed.ask('GET', 'sites/app-a');
    deepEqual([at(body, 'tags'), at(body, 'properties.siteConfig.alwaysOn')], [{ a: 'b' }, true]);
    equal(at(body, 'properties.lastModifiedTimeUtc'), '2026-01-02T03:04:06.678');
    equal(headers['etag'], patched.headers['etag']);
    deepEqual(at((await bed.ask('POST', 'sites/app-a/config/appsettings/list')).body, 'properties'), {
      A: '1',
    });
    equal(JSON.stringify(bed.state).includes('secret'), false);
  });

  it('runs on Linux where its plan does', async () => {
    await bed.ask('PUT', 'serverfarms/tux', {
      location: 'westeurope',
      sku: { name: 'B1' },
      properties: { reserved: true },
    });
    const { body } = await bed.putSite('app-a', 'tux');
    deepEqual(
      [at(body, 'kind'), at(body, 'properties.reserved'), at(body, 'properties.sku')],
      ['app,linux', true, 'Basic'],
    );
  });

  it('gets a plan when it names none: Consumption for Functions, else a free one', async () => {
    await bed.ask('PUT', 'sites/func', { location: 'East US', kind: 'functionapp', properties: {} });
    await bed.ask('PUT', 'sites/app-a', { location: 'East US', properties: {} });
    const skus = bed.state.plans.map(({ name, sku, location }) => [name, sku.name, location]);
    deepEqual(skus.slice(1), [
      ['EastUSPlan', 'Y1', 'eastus'],
      ['Default1', 'F1', 'eastus'],
    ]);
  });

  it('takes its plan along when it was the last on it, unless the client says no', async () => {
    await bed.putPlan('one', 'S1');
    await bed.putSite('app-a', 'one');
    equal((await bed.ask('DELETE', 'sites/app-a?deleteEmptyServerFarm=false')).status, 200);
    equal((await bed.ask('DELETE', 'sites/app-a')).status, 204);
    equal((await bed.ask('GET', 'serverfarms/one')).status, 200);
    await bed.putSite('app-a', 'one');
    await bed.ask('DELETE', 'sites/app-a');
    equal((await bed.ask('GET', 'serverfarms/one')).status, 404);
    deepEqual(failure(await bed.ask('GET', 'sites/app-a')), [404, 'ResourceNotFound']);
  });

  it('has a name that nobody else has in all of Azure', async () => {
    bed.state.sites.push({
      ...structuredClone(bed.state.sites[0]!),
      name: 'elsewhere',
      resourceGroup: 'other',
    });
    const answer = await bed.putSite('Elsewhere', 'local-plan');
    deepEqual(failure(answer), [409, 'Conflict']);
    equal(at(answer.body, 'Message'), 'Website with given name Elsewhere already exists.');
    const check = (name: string, type = 'Site') =>
      bed.ask('POST', `${bed.group.replace('/resourceGroups/local', '')}/checknameavailability`, {
        name,
        type,
      });
    deepEqual((await check('free')).body, { nameAvailable: true, reason: '', message: '' });
    equal(at((await check('ELSEWHERE', 'Microsoft.Web/sites')).body, 'reason'), 'AlreadyExists');
    deepEqual(failure(await bed.putSite('a_b', 'local-plan')), [400, 'BadRequest']);
    deepEqual(failure(await bed.putSite('app-a', 'none')), [404, 'NotFound']);
    deepEqual(failure(await bed.ask('PUT', 'sites/app-a', { properties: {} })), [400, 'LocationRequired']);
  });

  it('stops and starts', async () => {
    const state = async () => at((await bed.ask('GET', 'sites/local-app')).body, 'properties.state');
    for (const [action, after] of [
      ['stop', 'Stopped'],
      ['start', 'Running'],
      ['restart', 'Running'],
    ]) {
      equal((await bed.ask('POST', `sites/local-app/${action}`)).status, 200);
      equal(await state(), after);
    }
  });

  it('tells and takes its configuration', async () => {
    const web = (await bed.ask('GET', 'sites/local-app/config/web')).body;
    deepEqual(
      [at(web, 'type'), at(web, 'properties.publishingUsername')],
      ['Microsoft.Web/sites/config', '$local-app'],
    );
    deepEqual(at((await bed.ask('GET', 'sites/local-app/config')).body, 'value'), [web]);
    await bed.ask('PATCH', 'sites/local-app/config/web', { properties: { alwaysOn: true, unheardOf: 1 } });
    const changed = at((await bed.ask('GET', 'sites/local-app/config/web')).body, 'properties') as object;
    deepEqual([at(changed, 'alwaysOn'), 'unheardOf' in changed], [true, false]);
    await bed.ask('PUT', 'sites/local-app/config/appsettings', { properties: { B: '2' } });
    deepEqual(at((await bed.ask('POST', 'sites/local-app/config/appsettings/list')).body, 'properties'), {
      B: '2',
    });
    for (const list of ['connectionstrings', 'metadata']) {
      deepEqual(at((await bed.ask('POST', `sites/local-app/config/${list}/list`)).body, 'properties'), {});
    }
    equal((await bed.ask('GET', 'sites/local-app/slots/staging/config/slotConfigNames')).status, 200);
    const profile = await bed.ask('POST', 'sites/local-app/publishxml');
    equal(profile.headers['Content-Type'], 'application/xml');
    match(String(profile.body), /publishMethod="FTP" publishUrl="ftps:\/\/local-app\.ftp\./);
  });
});

describe('a deployment slot', () => {
  let bed: WebBed;
  beforeEach(() => (bed = new WebBed()));

  const put = (path: string) => bed.ask('PUT', path, { location: 'West Europe', properties: {} });

  it('comes and goes with settings and connections of its own', async () => {
    await bed.attach('local-app', 'orders');
    const { body } = await put('sites/local-app/slots/blue');
    deepEqual([at(body, 'name'), at(body, 'type')], ['local-app/blue', 'Microsoft.Web/sites/slots']);
    equal(at(body, 'properties.defaultHostName'), 'local-app-blue.azurewebsites.localhost');
    deepEqual(namesIn(await bed.ask('GET', 'sites/local-app/slots/blue/hybridConnectionRelays')), []);
    await bed.ask('PATCH', 'sites/local-app/slots/blue', { tags: { x: 'y' } });
    deepEqual(at((await bed.ask('GET', 'sites/local-app/slots/blue')).body, 'tags'), { x: 'y' });
    equal((await bed.ask('DELETE', 'sites/local-app/slots/blue')).status, 200);
    equal((await bed.ask('DELETE', 'sites/local-app/slots/blue')).status, 204);
    deepEqual(failure(await bed.ask('GET', 'sites/local-app/slots/blue')), [404, 'ResourceNotFound']);
  });

  it('needs an app, and a plan that has slots', async () => {
    deepEqual(failure(await put('sites/none/slots/blue')), [404, 'ParentResourceNotFound']);
    await bed.putPlan('basic', 'B1');
    await bed.putSite('app-a', 'basic');
    const refused = await put('sites/app-a/slots/blue');
    deepEqual(failure(refused), [409, 'Conflict']);
    match(at(refused.body, 'Message') as string, /number of slots allowed for the 'Basic' SKU/);
    for (const name of ['a', 'b', 'c', 'd']) equal((await put(`sites/local-app/slots/${name}`)).status, 200);
    deepEqual(failure(await put('sites/local-app/slots/e')), [409, 'Conflict']);
    equal((await put('sites/local-app/slots/d')).status, 200);
  });
});
