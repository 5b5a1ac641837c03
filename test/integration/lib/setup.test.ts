// The wizard without a terminal: its questions answered by scripts, its reading and its work against the emulator.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { askSetup } from '../../../src/lib/cli/setup/ask-setup.ts';
import type { GivenAnswers } from '../../../src/lib/cli/setup/asking.ts';
import { nobodyToAsk, takingProposals, type Prompts } from '../../../src/lib/cli/setup/prompts.ts';
import { openAzure } from '../../../src/lib/arm/azure.ts';
import { Output } from '../../../src/lib/cli/output.ts';
import type { SetupAnswers } from '../../../src/lib/services/setup/answers.ts';
import { performSetup } from '../../../src/lib/services/setup/perform-setup.ts';
import { planSetup, type SetupPlan } from '../../../src/lib/services/setup/setup-plan.ts';
import { createSetupReader } from '../../../src/lib/services/setup/setup-reader.ts';
import { HcmError, type ErrorCode } from '../../../src/protocol/errors.ts';
import { parseTarget } from '../../../src/protocol/target.ts';
import { systemClock } from '../../../src/tunnel/clock.ts';
import { AzureBed } from '../../helpers/azure-bed.ts';
import { LEAVE, ScriptedPrompts, type ScriptedAnswer } from '../../helpers/scripted-prompts.ts';

/** Nobody listens there: RFC 863's port, and refused at once on loopback. */
const CLOSED = '127.0.0.1:9';

const OTHER = '11111111-2222-3333-4444-555555555555';

const ALL_NEW: Record<string, ScriptedAnswer> = {
  ...{ app: 'local-app', slot: 'staging', target: CLOSED, 'target-anyway': true },
  ...{ namespace: 'a new one', 'namespace-name': '', 'resource-group': 'a new one' },
  ...{ 'resource-group-name': '', location: 'northeurope', connection: '', listen: 'here' },
};

describe('hcm setup', () => {
  let bed: AzureBed;
  let server: Server;
  let open: string;

  before(async () => {
    bed = await AzureBed.start({ subscriptions: [{ displayName: 'Network', subscriptionId: OTHER }] });
    server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    open = `127.0.0.1:${address.port}`;
  });
  after(async () => {
    server.close();
    await bed.stop();
  });
  beforeEach(() => {
    const { state, faults } = bed.emulator;
    faults.arm.clear();
    state.namespaces.splice(1);
    state.resourceGroups.splice(1);
    Object.assign(state.namespaces[0] ?? {}, { connections: [] });
    for (const one of state.sites.flatMap((found) => [found, ...found.slots])) {
      Object.assign(one, { relays: [], kind: one.kind.replace(',linux', '') });
    }
    const [plan] = state.plans;
    Object.assign(plan ?? {}, {
      sku: { name: 'S1', tier: 'Standard', size: 'S1', family: 'S', capacity: 1 },
    });
  });

  let said = '';
  const reader = () => createSetupReader(bed.azure, { clock: systemClock });
  function ask(prompts: Prompts, given: GivenAnswers = {}): Promise<SetupAnswers> {
    said = '';
    const talk = new Output({ env: {} });
    talk.say = (text: string) => void (said += `${text}\n`);
    talk.progress = () => undefined;
    return askSetup({ prompts, given, talk, reader: reader(), randomEnding: () => '3f2a' });
  }
  const plan = async (answers: SetupAnswers): Promise<SetupPlan> =>
    planSetup(answers, await reader().existing(answers));
  const perform = async (answers: SetupAnswers, done: string[] = []) =>
    performSetup(bed.azure, await plan(answers), { timeoutMs: 5_000, onDone: (what) => done.push(what) });

  /** Rejects with the code, and has asked Azure to change nothing. */
  async function refuses(code: ErrorCode, act: () => Promise<unknown>, words?: RegExp): Promise<HcmError> {
    let seen: unknown;
    const writes = await bed.writesOf(() => act().catch((error: unknown) => (seen = error)));
    assert.ok(seen instanceof HcmError, String(seen));
    assert.equal(seen.code, code, seen.message);
    if (words !== undefined) assert.match(`${seen.message} ${String(seen.details['next'])}`, words);
    assert.equal(writes, 0);
    return seen;
  }

  it('asks for all of it, changes nothing meanwhile, and then makes it', async () => {
    const prompts = new ScriptedPrompts(ALL_NEW);
    let answers: SetupAnswers | undefined;
    const writes = await bed.writesOf(async () => {
      answers = await ask(prompts);
      await plan(answers);
    });
    assert.equal(writes, 0);
    assert.ok(answers);
    assert.deepEqual(prompts.asked, Object.keys(ALL_NEW));
    assert.deepEqual(answers.namespace, {
      ...{ kind: 'new', name: 'local-app-relay', resourceGroup: 'hcm-relay', newResourceGroup: true },
      location: 'northeurope',
    });
    assert.deepEqual([answers.app?.slot, answers.connection, answers.listen], ['staging', 'local-9', true]);

    const done: string[] = [];
    const { changed, attached } = await perform(answers, done);
    assert.deepEqual(done, [
      'created the namespace local-app-relay',
      'created the hybrid connection local-app-relay/local-9',
      'attached it to local-app (slot staging)',
    ]);
    assert.equal(changed, true);
    assert.equal(attached?.relay.connection, 'local-9');
    assert.equal(bed.emulator.state.sites[0]?.slots[0]?.relays[0]?.name, 'local-9');

    const again: string[] = [];
    const writesAgain = await bed.writesOf(async () => {
      assert.equal((await perform(answers ?? assert.fail(), again)).changed, false);
    });
    assert.equal(writesAgain, 0);
    assert.match(again.join(), /was there.*was there.*had it, with a good key/);
  });

  it('what is there is proposed and used', async () => {
    bed.emulator.addConnection({ name: 'orders', target: open });
    const prompts = new ScriptedPrompts({
      ...{ app: 'local-func', target: open, namespace: 'local-relay', connection: '', listen: 'on another' },
    });
    const answers = await ask(prompts);
    assert.match(said, /answers from here \(\d+ ms\)[^]+Here may not be there/);
    assert.deepEqual([answers.namespace.kind, answers.connection], ['existing', 'orders']);
    const { steps, commands } = await plan(answers);
    assert.deepEqual(
      steps.map(({ kept }) => kept),
      [true, true, false, false],
    );
    assert.deepEqual(commands, ['hcm app attach local-func local-relay/orders']);
    const [first] = prompts.choices.get('listen') ?? [];
    assert.equal(first?.name, 'here, now');
  });

  it('a target that does not answer can be typed anew, and the listener is proposed elsewhere', async () => {
    const prompts = new ScriptedPrompts({
      ...{ target: ['nonsense', CLOSED, CLOSED], 'target-anyway': [false, true] },
      ...{ namespace: 'local-relay', connection: '', listen: 'on another' },
    });
    await ask(prompts, { app: false });
    assert.match(prompts.faults.join(), /it has no port/);
    assert.match(said, /refused the connection, asked from here/);
    const [first] = prompts.choices.get('listen') ?? [];
    assert.equal(first?.name, 'on another machine');
  });

  for (const left of Object.keys(ALL_NEW)) {
    it(`Ctrl-C at the question "${left}" changes nothing`, async () => {
      const prompts = new ScriptedPrompts({ ...ALL_NEW, [left]: LEAVE });
      await refuses('HCM_INTERRUPTED', () => ask(prompts));
      assert.equal(prompts.asked.at(-1), left);
    });
  }

  it('with every flag nothing is asked', async () => {
    const prompts = new ScriptedPrompts({});
    const answers = await ask(prompts, {
      ...{ app: 'local-app', slot: 'staging', target: parseTarget(open), namespace: 'brand-new-relay' },
      ...{ resourceGroup: 'local', location: 'North Europe', connection: 'db', listen: false },
    });
    assert.deepEqual(prompts.asked, []);
    assert.equal(answers.namespace.kind === 'new' && answers.namespace.location, 'northeurope');
  });

  it('--yes asks only what has no proposal', async () => {
    const prompts = new ScriptedPrompts({ app: 'local-app', target: CLOSED, namespace: 'local-relay' });
    const answers = await ask(takingProposals(prompts));
    assert.deepEqual(prompts.asked, ['app', 'target', 'namespace']);
    assert.deepEqual([answers.app?.slot, answers.connection, answers.listen], [undefined, 'local-9', false]);
  });

  it('where nobody can be asked, the missing flag is named', async () => {
    const target = parseTarget(CLOSED);
    for (const [flag, given] of [
      ['--app NAME', {}],
      ['--target HOST:PORT', { app: false }],
      ['--namespace NAME', { app: false, target }],
      ['--resource-group NAME', { app: false, target, namespace: 'brand-new-relay' }],
      ['--location NAME', { app: false, target, namespace: 'brand-new-relay', resourceGroup: 'fresh' }],
    ] as [string, GivenAnswers][]) {
      const { details } = await refuses('HCM_INPUT_NEEDED', () => ask(nobodyToAsk, given));
      assert.match(String(details['next']), new RegExp(`^Add ${flag}`));
    }
    const namespace = 'brand-new-relay';
    const answers = await ask(nobodyToAsk, { app: false, target, namespace, resourceGroup: 'local' });
    assert.equal(answers.namespace.kind === 'new' && answers.namespace.location, 'westeurope');
  });

  it('without apps it goes on without one, or not at all', async () => {
    const { sites } = bed.emulator.state;
    const kept = sites.splice(0);
    const rest = {
      target: CLOSED,
      'target-anyway': true,
      namespace: 'local-relay',
      connection: '',
      listen: 'here',
    };
    try {
      const answers = await ask(new ScriptedPrompts({ 'no-app': true, ...rest }));
      assert.equal(answers.app, undefined);
      assert.equal((await perform(answers)).attached, undefined);
      await refuses('HCM_INTERRUPTED', () => ask(new ScriptedPrompts({ 'no-app': false })));
      await refuses('HCM_INPUT_NEEDED', () => ask(nobodyToAsk), /--no-app/);
    } finally {
      sites.push(...kept);
    }
  });

  it('an app whose plan has no hybrid connections is refused before anything is made', async () => {
    const [plan] = bed.emulator.state.plans;
    Object.assign(plan ?? {}, { sku: { name: 'F1', tier: 'Free', size: 'F1', family: 'F', capacity: 0 } });
    await refuses('HCM_PLAN_UNSUPPORTED', () => ask(nobodyToAsk, { app: 'local-app' }), /Free/);
    const prompts = new ScriptedPrompts({ app: 'none', target: LEAVE });
    await refuses('HCM_INTERRUPTED', () => ask(prompts));
    const [first] = prompts.choices.get('app') ?? [];
    assert.match(`${first?.name} ${first?.disabled}`, /local-app.*Free has no hybrid connections/);
  });

  it('a full plan is told before anything is made', async () => {
    const [site] = bed.emulator.state.sites;
    const [plan_] = bed.emulator.state.plans;
    Object.assign(plan_ ?? {}, { sku: { name: 'B1', tier: 'Basic', size: 'B1', family: 'B', capacity: 1 } });
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const { id } = { id: `/subscriptions/x/hybridConnections/${name}` };
      site?.relays.push({
        ...{ namespace: 'local-relay', name, hostname: name, port: 1, sendKeyName: 'k', sendKeyValue: 'v' },
        ...{ relayArmUri: id, serviceBusSuffix: '.servicebus.localhost' },
      });
    }
    const given = { app: 'local-app', target: parseTarget(CLOSED), namespace: 'local-relay' };
    const answers = await ask(nobodyToAsk, given);
    await refuses('HCM_PLAN_LIMIT', () => plan(answers), /takes 5/);
  });

  it('names are checked while they are typed', async () => {
    bed.emulator.addConnection({ name: 'taken', target: 'other:1' });
    bed.emulator.addConnection('bare');
    const prompts = new ScriptedPrompts({
      ...{ target: open, namespace: 'local-relay' },
      ...{ connection: ['-', 'a/b', 'taken', 'bare', 'fine'], listen: 'here' },
    });
    await ask(prompts, { app: 'local-app' });
    const faults = prompts.faults.join('\n');
    for (const words of [
      'cannot name a hybrid connection',
      'takes no "/"',
      'leads to other:1',
      'has no target',
    ]) {
      assert.ok(faults.includes(words), faults);
    }
    const named = new ScriptedPrompts({
      ...{ namespace: 'a new one', 'namespace-name': ['x!', 'local-relay', LEAVE] },
    });
    const given = { app: false, target: parseTarget(open) } as const;
    await refuses('HCM_INTERRUPTED', () => ask(named, given));
    assert.match(named.faults.join('\n'), /at least 6 are needed[^]+Somebody has the name "local-relay"/);
  });

  it('flags that cannot be are refused with what is wrong', async () => {
    bed.emulator.addConnection({ name: 'taken', target: 'other:1' });
    const known = { app: 'local-app', target: parseTarget(CLOSED), namespace: 'local-relay' };
    await refuses('HCM_RESOURCE_NOT_FOUND', () => ask(nobodyToAsk, { app: 'gone' }), /no app "gone"/);
    await refuses('HCM_USAGE', () => ask(nobodyToAsk, { slot: 'staging' }), /--app NAME/);
    await refuses('HCM_NAME_INVALID', () => ask(nobodyToAsk, { ...known, namespace: 'x' }));
    await refuses('HCM_NAME_INVALID', () => ask(nobodyToAsk, { ...known, connection: 'a/b' }), /a-b/);
    await refuses(
      'HCM_RESOURCE_CONFLICT',
      () => ask(nobodyToAsk, { ...known, connection: 'taken' }),
      /update/,
    );
    await refuses('HCM_RESOURCE_CONFLICT', () => ask(nobodyToAsk, { ...known, resourceGroup: 'x' }), /moved/);
    await refuses('HCM_RESOURCE_CONFLICT', () => ask(nobodyToAsk, { ...known, location: 'eastus' }), /moved/);
    const fresh = { ...known, namespace: 'brand-new-relay', resourceGroup: 'local' };
    await refuses('HCM_LOCATION_INVALID', () => ask(nobodyToAsk, { ...fresh, location: 'atlantis' }));
  });

  it('for an app on Linux, localhost is no target; by flag it is warned of', async () => {
    const [site] = bed.emulator.state.sites;
    Object.assign(site ?? {}, { kind: 'app,linux' });
    const prompts = new ScriptedPrompts({ target: ['localhost:9', LEAVE] });
    await refuses('HCM_INTERRUPTED', () => ask(prompts, { app: 'local-app' }));
    assert.match(prompts.faults.join(), /is the app itself/);
    const target = parseTarget('localhost:9');
    const answers = await ask(nobodyToAsk, { app: 'local-app', target, namespace: 'local-relay' });
    assert.match((await plan(answers)).warnings.join(), /On Linux/);
  });

  it('a subscription that has never had a namespace is registered, and the plan says so', async () => {
    const [subscription] = bed.emulator.state.subscriptions;
    assert.ok(subscription);
    const kept = subscription.registeredProviders;
    subscription.registeredProviders = kept.filter((name) => !/relay/i.test(name));
    const answers = await ask(new ScriptedPrompts(ALL_NEW));
    const { steps } = await plan(answers);
    assert.deepEqual(
      steps.map(({ kind }) => kind),
      ['provider', 'namespace', 'connection', 'app', 'listener'],
    );
    await perform(answers);
    subscription.registeredProviders = kept;
    assert.equal((await plan(answers)).steps.length, 4);
  });

  it('an app of another subscription is attached by its id', async () => {
    const there = bed.azure.in(OTHER);
    const { subscriptionId } = bed.emulator.state;
    const reader = createSetupReader(there, { clock: systemClock });
    const app = `/subscriptions/${subscriptionId}/resourceGroups/local/providers/Microsoft.Web/sites/local-app`;
    const prompts = new ScriptedPrompts({
      ...{ namespace: 'a new one', 'namespace-name': 'far-away-relay', 'resource-group-name': '' },
      ...{ location: 'northeurope', connection: '' },
    });
    const talk = new Output({ env: {}, quiet: true });
    const given = { app, target: parseTarget(open), listen: false };
    const answers = await askSetup({ prompts, given, talk, reader, randomEnding: () => '3f2a' });
    const wanted = planSetup(answers, await reader.existing(answers));
    assert.ok(wanted.again.includes(`--app ${app}`));
    const done = { timeoutMs: 5_000, onDone: () => undefined };
    const { attached, namespace } = await performSetup(there, wanted, done);
    assert.deepEqual([attached?.changed, namespace.namespace.subscriptionId], [true, OTHER]);
  });

  it('Ctrl-C in the middle says what may exist, and which command goes on', async () => {
    const answers = await ask(new ScriptedPrompts(ALL_NEW));
    bed.emulator.faults.arm.creationMs = 60_000;
    const controller = new AbortController();
    const azure = openAzure(bed.session, {
      signal: controller.signal,
      report(message) {
        if (message.startsWith('creating the namespace')) {
          controller.abort(new HcmError('HCM_INTERRUPTED', 'Interrupted.'));
        }
      },
    });
    const wanted = await plan(answers);
    const performing = performSetup(azure, wanted, { timeoutMs: 5_000, onDone: () => undefined });
    await assert.rejects(performing, (error) => {
      assert.ok(error instanceof HcmError);
      assert.deepEqual([error.code, error.details['next']], ['HCM_INTERRUPTED', wanted.again]);
      assert.match(error.message, /created the resource group "hcm-relay"/);
      return true;
    });
  });

  it('what fails half-way says what exists, and the wizard goes on from there', async () => {
    const answers = await ask(new ScriptedPrompts(ALL_NEW));
    const heal = bed.refuse({ method: 'PUT', path: /hybridConnectionNamespaces/i, status: 403 });
    await assert.rejects(perform(answers), (error) => {
      assert.ok(error instanceof HcmError);
      assert.match(error.message, /hcm created the namespace local-app-relay; created the hybrid connection/);
      return true;
    });
    heal();
    const done: string[] = [];
    await perform(answers, done);
    assert.match(done.join(), /was there.*was there.*attached it to local-app \(slot staging\)/);
  });
});
