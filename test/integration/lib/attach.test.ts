// Connections attached to apps: hcm's services against the emulator's Resource Manager.
import assert from 'node:assert/strict';
import { createKey } from '../../../src/emulator/state.ts';
import type { AppState, SiteRelayState } from '../../../src/emulator/web-state.ts';
import { openAzure } from '../../../src/lib/arm/azure.ts';
import { attachConnection, detachConnection, type AttachRequest } from '../../../src/lib/services/attach.ts';
import { resolveSubscription } from '../../../src/lib/services/subscriptions.ts';
import { HcmError, type ErrorCode } from '../../../src/protocol/errors.ts';
import { AzureBed } from '../../helpers/azure-bed.ts';

const OTHER = '11111111-2222-3333-4444-555555555555';
const DB = { namespace: 'local-relay', name: 'db' };

describe('attaching a hybrid connection to an app', () => {
  let bed: AzureBed;
  before(async () => {
    bed = await AzureBed.start({ subscriptions: [{ displayName: 'Network', subscriptionId: OTHER }] });
  });
  after(() => bed.stop());
  beforeEach(() => {
    const { emulator, reports } = bed;
    const { subscriptionId, resourceGroup, namespaces, sites } = emulator.state;
    emulator.faults.arm.clear();
    reports.length = 0;
    Object.assign(namespaces[0] ?? {}, { subscriptionId, resourceGroup, connections: [] });
    emulator.addConnection({ name: 'db', target: 'db.corp.local:5432' });
    emulator.addConnection('plain');
    for (const one of sites.flatMap((found) => [found, ...found.slots])) one.relays = [];
    site().kind = 'app';
    plan().sku = { name: 'S1', tier: 'Standard', size: 'S1', family: 'S', capacity: 1 };
  });

  const attach = (request: Partial<AttachRequest> = {}) =>
    attachConnection(bed.azure, { app: 'local-app', connection: DB, ...request });
  const site = (name = 'local-app') => {
    const found = bed.emulator.state.sites.find((one) => one.name === name);
    assert.ok(found);
    return found;
  };
  const relayOf = (app: AppState): SiteRelayState => {
    const [relay] = app.relays;
    assert.ok(relay);
    return relay;
  };
  const connection = (name = 'db') => {
    const found = bed.emulator.state.namespaces[0]?.connections.find((one) => one.name === name);
    assert.ok(found);
    return found;
  };
  const sender = () => {
    const rule = connection().rules.find(({ name }) => name === 'defaultSender');
    assert.ok(rule);
    return rule;
  };
  const plan = () => {
    const [found] = bed.emulator.state.plans;
    assert.ok(found);
    return found;
  };
  /** Rejects with the code, and has asked Azure to change nothing. */
  async function refused(request: Partial<AttachRequest>, code: ErrorCode): Promise<HcmError> {
    let seen: unknown;
    const writes = await bed.writesOf(() => attach(request).catch((error: unknown) => (seen = error)));
    assert.ok(seen instanceof HcmError, String(seen));
    assert.equal(seen.code, code, seen.message);
    assert.equal(writes, 0);
    return seen;
  }

  it('gives the app the target, the send key and the address of the relay', async () => {
    const { changed, app, relay, warnings, listenerCount } = await attach();
    assert.deepEqual([changed, app.name, warnings, listenerCount], [true, 'local-app', [], 0]);
    assert.deepEqual(relay.target, { host: 'db.corp.local', port: 5432 });
    const { relayArmUri, ...kept } = relayOf(site());
    assert.deepEqual(kept, {
      namespace: 'local-relay',
      name: 'db',
      hostname: 'db.corp.local',
      port: 5432,
      sendKeyName: 'defaultSender',
      sendKeyValue: sender().primaryKey,
      serviceBusSuffix: `.servicebus.localhost:${bed.emulator.port}`,
    });
    assert.match(relayArmUri, /\/namespaces\/local-relay\/hybridconnections\/db$/i);
  });

  it('twice is once: the second time nothing is written', async () => {
    assert.equal(await bed.writesOf(() => attach()), 1);
    assert.equal(await bed.writesOf(() => attach()), 0);
    assert.equal((await attach()).changed, false);
    assert.equal((await attach({ force: true })).changed, true);
  });

  it('names have no case, and ids of resources will do', async () => {
    await attach();
    const { subscriptionId } = bed.azure;
    const group = `/subscriptions/${subscriptionId}/resourceGroups/local/providers`;
    const connection = { namespace: 'LOCAL-RELAY', name: 'DB', subscriptionId, resourceGroup: 'LOCAL' };
    const again = await attach({ app: `${group}/Microsoft.Web/sites/Local-App`, connection });
    assert.equal(again.changed, false);
    const slot = await attach({ app: `${group}/Microsoft.Web/sites/local-app/slots/staging` });
    assert.deepEqual([slot.changed, slot.app.slot], [true, 'staging']);
  });

  it('a slot has connections of its own, and so have Functions apps', async () => {
    assert.equal((await attach({ slot: 'staging' })).app.slot, 'staging');
    await attach({ app: 'local-func' });
    assert.deepEqual(
      [site().relays.length, site().slots[0]?.relays.length, site('local-func').relays.length],
      [0, 1, 1],
    );
  });

  it('makes the rule for senders when it is missing, and never touches the keys of one that is there', async () => {
    const { primaryKey, secondaryKey } = sender();
    await attach();
    assert.deepEqual([sender().primaryKey, sender().secondaryKey], [primaryKey, secondaryKey]);
    connection().rules = [];
    const { changed } = await attach();
    assert.equal(changed, true);
    assert.deepEqual(sender().rights, ['Send']);
    assert.equal(relayOf(site()).sendKeyValue, sender().primaryKey);
    const { primaryKey: kept } = sender();
    sender().rights = ['Listen'];
    await attach({ app: 'local-func' });
    assert.deepEqual([sender().rights, sender().primaryKey], [['Listen', 'Send'], kept]);
  });

  it('mends a key that was renewed, a missing one and a target that has moved', async () => {
    await attach();
    const relay = relayOf(site());
    relay.sendKeyValue = sender().secondaryKey;
    assert.equal((await attach()).changed, false, 'either key will do');
    sender().primaryKey = createKey();
    sender().secondaryKey = createKey();
    assert.equal((await attach()).changed, true);
    assert.equal(relayOf(site()).sendKeyValue, sender().primaryKey);
    relayOf(site()).sendKeyValue = '';
    assert.equal((await attach()).changed, true);
    connection().userMetadata = '[{"key":"endpoint","value":"other:1433"}]';
    assert.equal((await attach()).changed, true);
    assert.deepEqual([relayOf(site()).hostname, relayOf(site()).port], ['other', 1433]);
    relayOf(site()).sendKeyName = 'RootManageSharedAccessKey';
    assert.equal((await attach()).changed, true);
    assert.equal(relayOf(site()).sendKeyName, 'defaultSender');
  });

  it('takes a key that nobody may read for valid, unless it is forced', async () => {
    await attach();
    bed.refuse({ status: 403, code: 'AuthorizationFailed', path: /serverfarms\/.*\/listKeys$/i });
    assert.equal((await attach()).changed, false);
    assert.equal((await attach({ force: true })).changed, true);
  });

  it('waits while another change holds the lock of the app, and says so', async () => {
    bed.emulator.faults.arm.exclusiveLocks = 2;
    assert.equal((await attach()).changed, true);
    assert.equal(bed.reports.filter((text) => text.includes('another change')).length, 2);
  });

  for (const [what, userMetadata] of [
    ['none', undefined],
    ['no endpoint', '[{"key":"owner","value":"me"}]'],
    ['no JSON', 'endpoint=db:5432'],
    ['no list', '{"endpoint":"db:5432"}'],
    ['an endpoint without a port', '[{"key":"endpoint","value":"db"}]'],
  ] as const) {
    it(`metadata with ${what} is refused with the way to mend it`, async () => {
      if (userMetadata !== undefined) connection('plain').userMetadata = userMetadata;
      const error = await refused({ connection: { ...DB, name: 'plain' } }, 'HCM_METADATA_INVALID');
      assert.match(error.message, /"local-relay\/plain"/);
      assert.equal(error.details['next'], 'hcm connection update local-relay/plain --target HOST:PORT');
    });
  }

  it('a name with a slash is refused before anything is asked', async () => {
    await refused({ app: 'nobody', connection: { ...DB, name: 'team/db' } }, 'HCM_NAME_INVALID');
  });

  it('says what is not there: app, slot, namespace, connection', async () => {
    const cases: [Partial<AttachRequest>, RegExp][] = [
      [{ app: 'nobody' }, /no app "nobody"/],
      [{ slot: 'blue' }, /no slot "blue" of the app "local-app"/],
      [{ resourceGroup: 'elsewhere' }, /elsewhere/],
      [{ connection: { namespace: 'nowhere', name: 'db' } }, /no namespace "nowhere"/],
      [{ connection: { ...DB, name: 'gone' } }, /no hybrid connection "local-relay\/gone"/],
    ];
    for (const [request, message] of cases) {
      assert.match((await refused(request, 'HCM_RESOURCE_NOT_FOUND')).message, message);
    }
  });

  it('a Free plan is refused with what would help', async () => {
    plan().sku = { name: 'F1', tier: 'Free', size: 'F1', family: 'F', capacity: 0 };
    const error = await refused({}, 'HCM_PLAN_UNSUPPORTED');
    assert.match(error.message, /"local-plan" is Free, F1.*Basic or better/);
    assert.match(String(error.details['next']), /az appservice plan update --name local-plan .* --sku B1/);
  });

  it('a full plan is refused with its limit and what takes it up', async () => {
    await fillBasicPlan();
    const error = await refused({}, 'HCM_PLAN_LIMIT');
    assert.match(
      error.message,
      /"local-plan" \(Basic, B1\) takes 5 .*: local-relay\/c1, .*local-relay\/c5\.$/,
    );
    assert.equal(error.details['next'], 'hcm plan show local-plan');
  });

  it('one that the full plan has already is left to Azure, whose refusal is explained', async () => {
    await fillBasicPlan();
    const error = await refused({ app: 'local-func', connection: { ...DB, name: 'c1' } }, 'HCM_PLAN_LIMIT');
    assert.match(error.message, /allowed amount of 5 connections.*detach another one first/);
    assert.equal(error.details['next'], 'hcm plan show local-plan');
    assert.equal((await attach({ connection: { ...DB, name: 'c1' } })).changed, false);
  });

  it('a Premium plan counts for each app', async () => {
    plan().sku = { name: 'P1v3', tier: 'PremiumV3', size: 'P1v3', family: 'Pv3', capacity: 1 };
    await attach();
    const relay = relayOf(site());
    site().relays = Array.from({ length: 220 }, (_, index) => ({ ...relay, name: `c${index}` }));
    assert.match((await refused({}, 'HCM_PLAN_LIMIT')).message, /"local-app" has 220/);
    assert.equal((await attach({ app: 'local-func' })).changed, true);
  });

  it('a plan that may not be read is left to Azure, and that is said', async () => {
    bed.refuse({ status: 403, code: 'AuthorizationFailed', path: /serverfarms/i });
    assert.equal((await attach()).changed, true);
    assert.ok(bed.reports.some((text) => text.includes('"local-plan"') && text.includes('not checked')));
  });

  it('warns of what will not work: localhost on Linux, Windows containers, senders without a key', async () => {
    connection().userMetadata = '[{"key":"endpoint","value":"localhost:5432"}]';
    assert.deepEqual((await attach()).warnings, []);
    site().kind = 'app,linux';
    assert.match((await attach()).warnings.join(), /On Linux, "localhost" means the app itself/);
    site().kind = 'app,container,windows';
    assert.match((await attach()).warnings.join(), /Windows containers have no hybrid connections/);
    site().kind = 'app';
    connection().requiresClientAuthorization = false;
    assert.match((await attach()).warnings.join(), /takes senders without a key/);
  });

  it('who may not read keys hears which right is missing, and nothing is attached', async () => {
    bed.refuse({ status: 403, code: 'AuthorizationFailed', path: /authorizationRules\/.*\/listKeys$/i });
    const error = await refused({}, 'HCM_AZURE_FORBIDDEN');
    assert.match(error.message, /defaultSender/);
    assert.equal(error.details['azureCode'], 'AuthorizationFailed');
  });

  it('what breaks off half-way says what was done', async () => {
    connection().rules = [];
    bed.refuse({
      status: 409,
      code: 'Conflict',
      message: 'Not now.',
      method: 'PUT',
      path: /Microsoft\.Web/i,
    });
    await assert.rejects(attach(), (error: HcmError) => {
      assert.equal(error.code, 'HCM_RESOURCE_CONFLICT');
      assert.match(error.message, /Not now\. Done before that: made the rule "defaultSender"/);
      return true;
    });
  });

  it('believes what App Service keeps, not what it answers', async () => {
    const { httpClient } = bed.session;
    const forgetful = openAzure({
      ...bed.session,
      httpClient: {
        async sendRequest(request) {
          const answer = await httpClient.sendRequest(request);
          if (request.method === 'PUT') site().relays = [];
          return answer;
        },
      },
    });
    await assert.rejects(
      attachConnection(forgetful, { app: 'local-app', connection: DB }),
      (error: HcmError) => {
        assert.equal(error.code, 'HCM_OPERATION_FAILED');
        assert.match(error.message, /App Service has kept nothing/);
        return true;
      },
    );
  });

  it('finds the connection in another subscription', async () => {
    const subscriptionId = OTHER;
    const { namespaces, resourceGroups } = bed.emulator.state;
    resourceGroups.push({ subscriptionId, name: 'net', location: 'westeurope', tags: {} });
    Object.assign(namespaces[0] ?? {}, { subscriptionId, resourceGroup: 'net' });
    await refused({}, 'HCM_RESOURCE_NOT_FOUND');
    const { changed } = await attach({ connection: { ...DB, subscriptionId } });
    assert.equal(changed, true);
    assert.match(relayOf(site()).relayArmUri, new RegExp(`^/subscriptions/${subscriptionId}/`));
    assert.equal((await attach({ connection: { ...DB, subscriptionId } })).changed, false);
    assert.equal(await resolveSubscription(bed.azure, 'network'), subscriptionId);
    assert.equal(await resolveSubscription(bed.azure, undefined), undefined);
    await assert.rejects(resolveSubscription(bed.azure, 'nowhere'), { code: 'HCM_SUBSCRIPTION_MISSING' });
  });

  it('detaching twice is detaching once, and needs no connection that still exists', async () => {
    const detach = () => detachConnection(bed.azure, { app: 'local-app', connection: DB });
    assert.equal(await bed.writesOf(detach), 0);
    await attach();
    bed.emulator.removeConnection('db');
    const { changed, relay } = await detach();
    assert.deepEqual([changed, relay.connection, site().relays.length], [true, 'db', 0]);
    assert.equal((await detach()).changed, false);
    await assert.rejects(detachConnection(bed.azure, { app: 'nobody', connection: DB }), {
      code: 'HCM_RESOURCE_NOT_FOUND',
    });
  });

  /** c1 to c5 are attached to local-app, whose plan takes no more. */
  async function fillBasicPlan(): Promise<void> {
    const sku = { name: 'B1', tier: 'Basic', size: 'B1', family: 'B', capacity: 1 };
    const names = ['c1', 'c2', 'c3', 'c4', 'c5'];
    for (const name of names) {
      bed.emulator.addConnection({ name, target: 'db:1' });
      await attach({ connection: { ...DB, name } });
    }
    plan().sku = sku;
  }
});
