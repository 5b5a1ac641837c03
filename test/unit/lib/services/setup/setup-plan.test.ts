// From answers to steps and commands, and the names that are proposed.
import assert from 'node:assert/strict';
import type { App } from '../../../../../src/lib/arm/apps.ts';
import type { Namespace } from '../../../../../src/lib/arm/namespaces.ts';
import type { SiteRelay } from '../../../../../src/lib/arm/site-relays.ts';
import type { ConnectionView } from '../../../../../src/lib/services/connection-view.ts';
import type { SetupAnswers } from '../../../../../src/lib/services/setup/answers.ts';
import { shellWord } from '../../../../../src/lib/services/setup/command-line.ts';
import { proposeConnection, proposeNamespace } from '../../../../../src/lib/services/setup/proposals.ts';
import { planSetup } from '../../../../../src/lib/services/setup/setup-plan.ts';
import { checkResourceName } from '../../../../../src/protocol/resource-names.ts';
import { parseTarget } from '../../../../../src/protocol/target.ts';

const APP: App = {
  ...{ subscriptionId: 's', resourceGroup: 'web', name: 'shop', kind: 'app', location: 'West Europe' },
  ...{ planId: undefined, tier: 'Standard', linux: false, windowsContainer: false },
};
const NAMESPACE: Namespace = {
  ...{ subscriptionId: 's', resourceGroup: 'net', name: 'my-relay', id: '', location: 'westeurope' },
  ...{ tags: {}, provisioningState: 'Succeeded', status: 'Active', host: 'my-relay.servicebus.windows.net' },
};
const ANSWERS: SetupAnswers = {
  app: APP,
  target: parseTarget('db.corp.local:5432'),
  namespace: {
    ...{ kind: 'new', name: 'my-relay', resourceGroup: 'net', newResourceGroup: true },
    location: 'westeurope',
  },
  connection: 'db-5432',
  listen: true,
};
const NOTHING = { subscriptionId: 's', registered: true, connection: false, attached: [] };

function relay(connection: string, target = 'db.corp.local:5432'): SiteRelay {
  return {
    ...{ namespace: 'my-relay', connection, relayId: '', target: parseTarget(target) },
    ...{ keyName: 'defaultSender', suffix: '.servicebus.windows.net' },
  };
}

describe('the plan of the wizard', () => {
  it('makes what is missing, in the order in which the commands would', () => {
    const { steps, commands, connection, warnings } = planSetup(ANSWERS, NOTHING);
    assert.equal(connection, 'my-relay/db-5432');
    assert.deepEqual(
      steps.map(({ kind, kept }) => [kind, kept]),
      [
        ['namespace', false],
        ['connection', false],
        ['app', false],
        ['listener', false],
      ],
    );
    assert.deepEqual(commands, [
      'hcm namespace create my-relay --resource-group net --location westeurope --create-resource-group',
      'hcm connection create my-relay/db-5432 --target db.corp.local:5432',
      'hcm app attach shop my-relay/db-5432',
      'hcm listen my-relay/db-5432',
    ]);
    assert.deepEqual(warnings, []);
  });

  it('tells of the registration that Azure asks for once', () => {
    const { steps } = planSetup(ANSWERS, { ...NOTHING, registered: false });
    assert.match(`${steps[0]?.kind} ${steps[0]?.text}`, /^provider register Microsoft\.Relay/);
  });

  it('keeps what is there, and has no command for it', () => {
    const answers: SetupAnswers = {
      ...ANSWERS,
      namespace: { kind: 'existing', namespace: NAMESPACE },
      listen: false,
    };
    const { steps, commands, listenCommand } = planSetup(answers, {
      ...{ subscriptionId: 's', registered: true, connection: true, attached: [relay('DB-5432')] },
    });
    assert.deepEqual(
      steps.map(({ kind, kept }) => [kind, kept]),
      [
        ['namespace', true],
        ['connection', true],
        ['app', true],
        ['listener', false],
      ],
    );
    assert.deepEqual(commands, ['hcm app attach shop my-relay/db-5432']);
    assert.equal(listenCommand, 'hcm listen my-relay/db-5432');
  });

  it('names slot, cloud and subscription where the commands need them', () => {
    const answers = { ...ANSWERS, app: { ...APP, slot: 'staging' } };
    const { commands, again } = planSetup(answers, NOTHING, ['--subscription', 'My Test']);
    assert.equal(commands[2], 'hcm app attach shop my-relay/db-5432 --slot staging --subscription "My Test"');
    assert.equal(
      again,
      'hcm setup --app shop --slot staging --target db.corp.local:5432 --namespace my-relay' +
        ' --resource-group net --location westeurope --connection db-5432 --listen --yes --subscription "My Test"',
    );
  });

  it('names an app of another subscription by its id', () => {
    const { commands, again } = planSetup(ANSWERS, { ...NOTHING, subscriptionId: 'another' });
    const id = '/subscriptions/s/resourceGroups/web/providers/Microsoft.Web/sites/shop';
    assert.equal(commands[2], `hcm app attach ${id} my-relay/db-5432`);
    assert.ok(again.startsWith(`hcm setup --app ${id} `));
  });

  it('without an app there is nothing to attach', () => {
    const { steps, again } = planSetup({ ...ANSWERS, app: undefined }, NOTHING);
    assert.ok(steps.every(({ kind }) => kind !== 'app'));
    assert.match(again, /^hcm setup --no-app /);
  });

  it('warns of what Azure takes and what will not work', () => {
    const warnings = (app: App, target: string, attached: SiteRelay[] = []) =>
      planSetup({ ...ANSWERS, app, target: parseTarget(target) }, { ...NOTHING, attached }).warnings;
    assert.match(String(warnings({ ...APP, linux: true }, 'localhost:80')), /On Linux, "localhost" means/);
    assert.match(String(warnings(APP, '10.0.0.5:80')), /host name is safer than 10\.0\.0\.5/);
    assert.match(
      String(warnings(APP, 'db.corp.local:5432', [relay('old')])),
      /shop has a hybrid connection to db\.corp\.local:5432 already: my-relay\/old/,
    );
    assert.deepEqual(warnings(APP, 'db.corp.local:5432', [relay('db-5432')]), []);
  });
});

describe('the names that the wizard proposes', () => {
  const view = (name: string, target: string) => ({ name, target }) as ConnectionView;

  it('a connection is named after its target', () => {
    for (const [target, name] of [
      ['db.corp.local:5432', 'db-5432'],
      ['SQL01:1433', 'sql01-1433'],
      ['10.0.0.5:22', '10-0-0-5-22'],
      ['[fd00::1]:22', 'fd00-1-22'],
      ['localhost:80', 'local-80'],
      ['_odd_.name:1', 'odd-1'],
    ] as const) {
      assert.equal(proposeConnection(parseTarget(target), []), name);
      checkResourceName('connection', name);
    }
  });

  it('one that is there already is taken for the same target, and left alone for another', () => {
    const target = parseTarget('db.corp.local:5432');
    assert.equal(proposeConnection(target, [view('orders', 'DB.corp.local:5432')]), 'orders');
    const others = [view('DB-5432', 'x:1'), view('db-5432-2', 'y:1')];
    assert.equal(proposeConnection(target, others), 'db-5432-3');
  });

  it('a namespace is named after the app, by the rules of Azure', () => {
    for (const [about, name] of [
      ['my-app', 'my-app-relay'],
      ['contoso-relay', 'contoso-relay'],
      ['relay', 'relay-relay'],
      ['10-0-0-5', 'hcm-relay'],
      ['', 'hcm-relay'],
      ['x'.repeat(60), `${'x'.repeat(36)}-relay`],
    ] as const) {
      assert.equal(proposeNamespace(about), name);
      checkResourceName('namespace', proposeNamespace(about, '3f2a'));
    }
    assert.equal(proposeNamespace('my-app', '3f2a'), 'my-app-relay-3f2a');
  });
});

describe('a word of a command line', () => {
  it('is quoted where a shell would take it apart', () => {
    assert.equal(shellWord('db.corp.local:5432'), 'db.corp.local:5432');
    assert.equal(shellWord('[fd00::1]:22'), '"[fd00::1]:22"');
    assert.equal(shellWord('Pay as you go (test)'), '"Pay as you go (test)"');
    assert.equal(shellWord("it's $5"), `'it'\\''s $5'`);
    assert.equal(shellWord(''), '""');
  });
});
