// apply and destroy against the emulator's Resource Manager: what is declared comes true, a second run writes nothing,
// and a run that broke off at any write, by a failure or by Ctrl-C, is finished by the same run again.
import assert from 'node:assert/strict';
import type { EmulatorEvent } from '../../../src/emulator/create-emulator.ts';
import { systemArmClock, type ArmClock } from '../../../src/lib/arm/arm-clock.ts';
import { openAzure, type Azure } from '../../../src/lib/arm/azure.ts';
import { startNamespaceDelete } from '../../../src/lib/arm/namespaces.ts';
import { parseAzureSection } from '../../../src/lib/config/hcm-yaml/load.ts';
import { azureSectionData, formatYaml } from '../../../src/lib/config/hcm-yaml/write.ts';
import { describeAction } from '../../../src/lib/services/apply/action.ts';
import { makeChanges, planChanges, planRemoval } from '../../../src/lib/services/apply/apply.ts';
import { exportAzure } from '../../../src/lib/services/apply/export.ts';
import { HcmError, type ErrorCode } from '../../../src/protocol/errors.ts';
import { AzureBed } from '../../helpers/azure-bed.ts';

const OTHER = '11111111-2222-3333-4444-555555555555';
const FILE = `
azure:
  resourceGroup: local
  namespaces:
    my-relay:
      tags: {team: data}
      rules: {shared: [Send]}
      connections:
        sql:
          target: db.corp.local:1433
          rules: {ops: [Listen]}
          apps: [local-app, local-app/staging]
        echo:
`;
/** Every kind of change, and no more of each: it is done again for each of its writes. */
const SMALL = FILE.replace(/ {8}echo:\n|, local-app\/staging/g, '').replace('{ops: [Listen]}', '{}');
const RETARGETED = FILE.replace('db.corp.local', 'new.corp.local');
const OPEN = SMALL.replace(/apps: .*/, 'requiresClientAuthorization: false');

/** Looks again soon: what is waited for takes no time here. */
const clock: ArmClock = {
  ...systemArmClock,
  sleep: (ms, signal) => systemArmClock.sleep(Math.min(ms, 20), signal),
};

describe('apply and destroy', () => {
  let bed: AzureBed;
  let onEvent: (event: EmulatorEvent) => void = () => undefined;

  before(async () => {
    bed = await AzureBed.start(
      {
        ...{ behaviour: { provisioningMs: 0, removalMs: 0 }, onEvent: (event) => onEvent(event) },
        subscriptions: [{ displayName: 'Network', subscriptionId: OTHER }],
      },
      { clock },
    );
  });
  after(() => bed.stop());
  beforeEach(() => {
    const { namespaces, sites } = bed.emulator.state;
    bed.emulator.faults.arm.clear();
    onEvent = () => undefined;
    warnings.length = 0;
    namespaces.splice(1);
    namespaces[0]?.connections.splice(0);
    for (const one of sites.flatMap((site) => [site, ...site.slots])) one.relays = [];
  });

  const warnings: string[] = [];
  const options = { timeoutMs: 10_000, warn: (message: string) => void warnings.push(message) };
  const request = { file: 'hcm.yaml', ...options };
  const load = (text: string) => parseAzureSection(text, { file: 'hcm.yaml', env: {} });
  const plan = async (text: string, azure: Azure = bed.azure) =>
    planChanges(azure, await load(text), request);
  /** Plans and does it; resolves with what was done. */
  async function apply(text: string, azure: Azure = bed.azure): Promise<string[]> {
    const actions = await plan(text, azure);
    await makeChanges(azure, actions, options);
    return actions.map(describeAction);
  }
  async function destroy(text: string): Promise<string[]> {
    const { actions } = await planRemoval(bed.azure, await load(text), request);
    await makeChanges(bed.azure, actions, options);
    return actions.map(describeAction);
  }
  async function failure(run: Promise<unknown>, code: ErrorCode): Promise<HcmError> {
    const error = await run.then(
      () => assert.fail('it succeeded'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof HcmError, String(error));
    assert.equal(error.code, code, error.message);
    return error;
  }
  const namespace = (name: string) => bed.emulator.state.namespaces.find((one) => one.name === name);
  /** What Azure has, without keys and times, and whether the apps' keys are good. */
  function world() {
    const sites = bed.emulator.state.sites.flatMap((site) => [site, ...site.slots]);
    const rules = (of: { rules: { name: string; rights: string[] }[] }) =>
      of.rules.map(({ name, rights }) => `${name} ${String(rights)}`).sort();
    return {
      namespaces: bed.emulator.state.namespaces.map((one) => ({
        ...{ name: one.name, tags: one.tags, rules: rules(one) },
        connections: one.connections
          .map((connection) => ({
            ...{ name: connection.name, userMetadata: connection.userMetadata, rules: rules(connection) },
            requiresClientAuthorization: connection.requiresClientAuthorization,
          }))
          .sort((a, b) => a.name.localeCompare(b.name)),
      })),
      apps: sites.map(({ name, relays }) => ({
        name,
        relays: relays.map((relay) => {
          const connection = namespace(relay.namespace)?.connections.find((one) => one.name === relay.name);
          const rule = connection?.rules.find((one) => one.name === relay.sendKeyName);
          return `${relay.name} ${relay.hostname}:${relay.port} ${relay.sendKeyValue === rule?.primaryKey}`;
        }),
      })),
    };
  }

  it('makes all that is declared', async () => {
    await apply(FILE);
    const made = namespace('my-relay');
    assert.ok(made);
    assert.deepEqual([made.resourceGroup, made.tags], ['local', { team: 'data' }]);
    assert.deepEqual(
      made.connections.map(({ name, userMetadata, rules }) => [
        name,
        userMetadata,
        rules.map((rule) => rule.name),
      ]),
      [
        [
          'sql',
          '[{"key":"endpoint","value":"db.corp.local:1433"}]',
          ['defaultListener', 'defaultSender', 'ops'],
        ],
        ['echo', '', ['defaultListener', 'defaultSender']],
      ],
    );
    const { apps } = world();
    assert.deepEqual(
      apps.filter(({ relays }) => relays.length > 0).map(({ relays }) => relays),
      [['sql db.corp.local:1433 true'], ['sql db.corp.local:1433 true']],
    );
  });

  it('writes nothing when there is nothing to do, and planning never writes', async () => {
    assert.equal(await bed.writesOf(() => plan(FILE)), 0);
    await apply(FILE);
    assert.equal(await bed.writesOf(async () => assert.deepEqual(await apply(FILE), [])), 0);
  });

  it('changes what has changed, keeps foreign metadata and moves apps that the file does not name', async () => {
    await apply(FILE.replace('local-app, ', 'local-app, local-func, '));
    const [sql] = namespace('my-relay')?.connections ?? [];
    assert.ok(sql);
    sql.userMetadata = '[{"key":"owner","value":"dba"},{"key":"endpoint","value":"db.corp.local:1433"}]';
    assert.deepEqual(await apply(RETARGETED), [
      'update attachment local-app to my-relay/sql',
      'update attachment local-app (slot staging) to my-relay/sql',
      'update attachment local-func to my-relay/sql',
      'update connection my-relay/sql',
    ]);
    assert.equal(
      sql.userMetadata,
      '[{"key":"owner","value":"dba"},{"key":"endpoint","value":"new.corp.local:1433"}]',
    );
    assert.deepEqual(
      world().apps.flatMap(({ relays }) => relays),
      Array.from({ length: 3 }, () => 'sql new.corp.local:1433 true'),
    );
    assert.deepEqual(await apply(RETARGETED), []);
  });

  it('gives apps the key again after somebody renewed it', async () => {
    await apply(FILE);
    const rule = namespace('my-relay')?.connections[0]?.rules.find(({ name }) => name === 'defaultSender');
    assert.ok(rule);
    Object.assign(rule, { primaryKey: 'bmV3', secondaryKey: 'b3RoZXI=' });
    assert.deepEqual(await apply(FILE), [
      'update attachment local-app to my-relay/sql',
      'update attachment local-app (slot staging) to my-relay/sql',
    ]);
    assert.deepEqual(await apply(FILE), []);
  });

  it('waits for a namespace that an interrupted run left in the making', async () => {
    bed.emulator.faults.arm.creationMs = 150;
    const stop = new AbortController();
    const azure = openAzure(bed.session, {
      ...{ clock, signal: stop.signal },
      report: (text) => /Activating/.test(text) && stop.abort(),
    });
    const { message } = await failure(apply(FILE, azure), 'HCM_INTERRUPTED');
    assert.match(message, /^Interrupted at: create namespace my-relay\. .*goes on in Azure/);
    const done = await apply(FILE);
    assert.equal(done[0], 'create rule shared of my-relay');
    assert.deepEqual(await apply(FILE), []);
  });

  for (const [what, first, second] of [
    ['making everything', undefined, SMALL],
    ['changing a target', SMALL, SMALL.replace('db.corp.local', 'new.corp.local')],
    ['making a connection anew', OPEN, SMALL],
  ] as const) {
    it(`ends in the same state when it broke off at any write: ${what}`, async () => {
      if (first) await apply(first);
      const start = structuredClone(bed.emulator.state);
      const reset = () =>
        Object.assign(
          bed.emulator.state,
          structuredClone({ namespaces: start.namespaces, sites: start.sites }),
        );
      const writes = await bed.writesOf(() => apply(second));
      const wanted = world();
      assert.ok(writes >= 2);
      for (let allowed = 0; allowed < writes; allowed++) {
        reset();
        await failure(apply(second, stoppingAfter(allowed)), 'HCM_INTERRUPTED');
        onEvent = () => undefined;
        await apply(second);
        assert.deepEqual(world(), wanted, `after a stop at write ${allowed + 1}`);
      }
      assert.equal(await bed.writesOf(() => apply(second)), 0);
    });
  }

  /** Azure for a run that is stopped, as by Ctrl-C, when so many writes were answered and the next one is sent. */
  function stoppingAfter(allowed: number): Azure {
    const stop = new AbortController();
    let seen = 0;
    onEvent = (event) => {
      if (event.event === 'arm' && event.write && ++seen > allowed) stop.abort();
    };
    return openAzure(bed.session, { signal: stop.signal });
  }

  it('tells what is done and what is not when a write fails, and goes on from there', async () => {
    const take = bed.refuse({
      status: 403,
      code: 'AuthorizationFailed',
      method: 'PUT',
      path: /hybridConnections\/echo$/i,
    });
    const error = await failure(apply(FILE), 'HCM_AZURE_FORBIDDEN');
    assert.match(error.message, /^Could not create connection my-relay\/echo: /);
    assert.match(
      error.message,
      /Done before it: create namespace my-relay, .*create attachment local-app \(slot staging\) to my-relay\/sql\./,
    );
    assert.match(error.message, /Not done: create rule defaultListener of my-relay\/echo, /);
    assert.equal(error.details['done'], 8);
    take();
    assert.deepEqual(await apply(FILE), [
      'create connection my-relay/echo',
      'create rule defaultListener of my-relay/echo',
      'create rule defaultSender of my-relay/echo',
    ]);
  });

  it('makes a namespace again that is still being deleted', async () => {
    const slow = await AzureBed.start({ behaviour: { provisioningMs: 0, removalMs: 150 } }, { clock });
    try {
      await apply(SMALL, slow.azure);
      await startNamespaceDelete(slow.azure, { ...slow.emulator.state, name: 'my-relay' });
      assert.equal((await apply(SMALL, slow.azure))[0], 'create namespace my-relay');
      assert.deepEqual(await plan(SMALL, slow.azure), []);
    } finally {
      await slow.stop();
    }
  });

  it('attaches apps of another subscription, which a file names by its name', async () => {
    const { resourceGroups } = bed.emulator.state;
    resourceGroups.push({ subscriptionId: OTHER, name: 'net', location: 'northeurope', tags: {} });
    const text = SMALL.replace('local-app', '{name: local-app, subscription: LOCAL}').replace(
      'Group: local',
      'Group: net',
    );
    const there = bed.azure.in(OTHER);
    await apply(text, there);
    const made = namespace('my-relay');
    assert.deepEqual([made?.subscriptionId, made?.location], [OTHER, 'northeurope']);
    assert.deepEqual(world().apps[0]?.relays, ['sql db.corp.local:1433 true']);
    assert.deepEqual(await apply(text, there), []);
    assert.deepEqual((await planRemoval(there, await load(text), request)).actions.map(describeAction), [
      'delete attachment local-app to my-relay/sql',
      'delete connection my-relay/sql',
      'delete rule shared of my-relay',
      'delete namespace my-relay',
    ]);
  });

  it('warns of what will not work, and of what may not be seen', async () => {
    const [site] = bed.emulator.state.sites;
    assert.ok(site);
    site.kind = 'app,linux';
    await apply(SMALL.replace('db.corp.local', 'localhost'));
    site.kind = 'app';
    assert.match(warnings.splice(0).join(), /On Linux, "localhost" means the app itself/);

    bed.refuse({ status: 403, code: 'AuthorizationFailed', path: /\/sites$/i });
    const declared = SMALL.replace('local-app', '').replace('localhost', 'db.corp.local');
    assert.deepEqual(await apply(declared), ['update connection my-relay/sql']);
    assert.match(warnings.splice(0).join(), /^This account may not read all apps/);
  });

  it('destroys what it made and nothing else', async () => {
    bed.emulator.addConnection({ name: 'theirs', target: 'x:1' });
    const before = world();
    await apply(FILE);
    await destroy(FILE);
    assert.deepEqual(world(), before);
    assert.equal(await bed.writesOf(async () => assert.deepEqual(await destroy(FILE), [])), 0);
  });

  it('leaves a namespace with something else in it', async () => {
    await apply(FILE);
    await apply(FILE.replace('echo:', 'theirs: {target: "a:1"}'));
    const { kept } = await planRemoval(bed.azure, await load(FILE), request);
    assert.deepEqual(kept, [{ name: 'my-relay', because: ['connection theirs'] }]);
    await destroy(FILE);
    assert.deepEqual(
      namespace('my-relay')?.connections.map(({ name }) => name),
      ['theirs'],
    );
  });

  it('exports what it made as a file that asks for nothing else', async () => {
    await apply(FILE);
    const { declared, leftOut } = await exportAzure(bed.azure, { namespaces: ['my-relay'] });
    assert.deepEqual(leftOut, []);
    const text = formatYaml(azureSectionData(declared));
    assert.equal(
      text,
      `azure:
  subscription: ${bed.azure.subscriptionId}
  resourceGroup: local
  location: westeurope
  namespaces:
    my-relay:
      tags:
        team: data
      rules:
        shared: [Send]
      connections:
        sql:
          target: db.corp.local:1433
          rules:
            ops: [Listen]
          apps: [local-app, local-app/staging]
        echo:
`,
    );
    assert.deepEqual(await plan(text), []);
  });

  for (const [what, text, code, message] of [
    [
      'an app that is not there',
      FILE.replace('local-app,', 'nobody,'),
      'HCM_RESOURCE_NOT_FOUND',
      /^hcm\.yaml:12:18: there is no app "nobody"/,
    ],
    [
      'a slot that is not there',
      FILE.replace('staging', 'nowhere'),
      'HCM_RESOURCE_NOT_FOUND',
      /slot nowhere/,
    ],
    [
      'a resource group that is not there',
      FILE.replace('resourceGroup: local', 'resourceGroup: nowhere'),
      'HCM_RESOURCE_NOT_FOUND',
      /^hcm\.yaml:5:5: there is no resource group "nowhere"/,
    ],
    [
      'no resource group at all',
      FILE.replace('resourceGroup: local', ''),
      'HCM_CONFIG_INVALID',
      /^hcm\.yaml:5:5: the namespace "my-relay" is to be made, and neither/,
    ],
    [
      'a subscription of an app that nobody sees',
      FILE.replace('local-app,', '{name: local-app, subscription: Gone},'),
      'HCM_SUBSCRIPTION_MISSING',
      /"Gone"/,
    ],
  ] as const) {
    it(`changes nothing where a file names ${what}`, async () => {
      const writes = await bed.writesOf(async () =>
        assert.match((await failure(apply(text), code)).message, message),
      );
      assert.equal(writes, 0);
    });
  }
});
