// What people get wrong with Azure, and what goes wrong there: each has its code, its exit status and the next thing to
// do, and leaves Azure as it was.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAzure, type Azure } from '../../../src/lib/arm/azure.ts';
import { openSession, type Session } from '../../../src/lib/auth/session.ts';
import { signIn } from '../../../src/lib/auth/sign-in.ts';
import { toUserError } from '../../../src/lib/cli/to-user-error.ts';
import { attachConnection } from '../../../src/lib/services/attach.ts';
import { createConnection } from '../../../src/lib/services/connections.ts';
import { createNamespace, type NamespaceRequest } from '../../../src/lib/services/namespaces.ts';
import type { ErrorCode } from '../../../src/protocol/errors.ts';
import { systemClock } from '../../../src/tunnel/clock.ts';
import { RelayDialer } from '../../../src/tunnel/relay-dialer.ts';
import { AzureBed, openEmulatorSession } from '../../helpers/azure-bed.ts';

const TIMEOUT_MS = 10_000;
const NOBODY = '11111111-1111-1111-1111-111111111111';
const TARGET = { host: 'db.corp.local', port: 5432 };
const STRANGER = { clientId: 'stranger', clientSecret: 'secret-of-the-stranger' };
const READER = { clientId: 'reader', clientSecret: 'secret-of-the-reader' };
const NOT_JSON = 'somebody wrote this by hand';

interface Case {
  what: string;
  act: (bed: AzureBed) => Promise<unknown>;
  code: ErrorCode;
  status: number;
  says: RegExp;
  next: RegExp;
  /** Azure's own code. */
  azure?: string;
}

const namespace = (azure: Azure, request: Partial<NamespaceRequest> = {}) =>
  createNamespace(azure, {
    ...{ name: 'new-relay', resourceGroup: 'local', wait: true, timeoutMs: TIMEOUT_MS },
    ...request,
  });
const connection = (azure: Azure, name = 'new') =>
  createConnection(azure, {
    ...{ connection: { namespace: 'local-relay', name }, target: TARGET, timeoutMs: TIMEOUT_MS },
  });
const attach = ({ azure }: AzureBed, name: string, app = 'local-app') =>
  attachConnection(azure, { app, connection: { namespace: 'local-relay', name } });

/** A sign-in that has no token yet. */
async function signedInAs(bed: AzureBed, who?: typeof STRANGER): Promise<Azure> {
  return openAzureOf(await openEmulatorSession(bed.emulator, who));
}

function openAzureOf(session: Session): Azure {
  return openAzure(session, { report: () => undefined, retry: { firstDelayMs: 1, attempts: 2 } });
}

/** A person who once typed a code, and whom Entra ID now wants to see again. */
async function signedInLongAgo({ emulator, session: { cloud } }: AzureBed): Promise<Azure> {
  const directory = await mkdtemp(join(tmpdir(), 'hcm-expired-'));
  after(() => rm(directory, { recursive: true }));
  const dialer = new RelayDialer({ loopbackCa: emulator.caPem }, systemClock);
  const dial = (host: string, port: number) => dialer.dial(host, port);
  const prompt = { showDeviceCode: () => undefined, showBrowser: () => undefined };
  const request = { cloud, directory, env: {}, dial };
  await signIn({ ...request, method: 'device', prompt }, {});
  emulator.faults.entra.revokeTokens();
  emulator.faults.entra.refuse({ aadsts: 700082 });
  return openAzureOf(await openSession(request));
}

/** Where nobody listens. */
async function unreachable({ session }: AzureBed): Promise<Azure> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const cloud = { ...session.cloud, armEndpoint: `https://127.0.0.1:${port}` };
  return openAzureOf({ ...session, cloud });
}

const CASES: Case[] = [
  {
    what: 'an unknown subscription',
    act: ({ azure }) => namespace(azure.in(NOBODY)),
    ...{ code: 'HCM_RESOURCE_NOT_FOUND', status: 5, azure: 'SubscriptionNotFound' },
    ...{ says: new RegExp(NOBODY), next: /^hcm account list$/ },
  },
  {
    what: 'an account that may see nothing',
    act: async (bed) => connection(await signedInAs(bed, STRANGER)),
    ...{ code: 'HCM_AZURE_FORBIDDEN', status: 3, azure: 'AuthorizationFailed' },
    ...{ says: /namespaces: you may not do this/, next: /^hcm account show$/ },
  },
  {
    what: 'an account that may read only, and a namespace to be made',
    act: async (bed) => namespace(await signedInAs(bed, READER)),
    ...{ code: 'HCM_AZURE_FORBIDDEN', status: 3, azure: 'AuthorizationFailed' },
    ...{ says: /you may not do this/, next: /^hcm account show$/ },
  },
  {
    what: 'an account that may read only, and a connection to be made',
    act: async (bed) => connection(await signedInAs(bed, READER)),
    ...{ code: 'HCM_AZURE_FORBIDDEN', status: 3, azure: 'AuthorizationFailed' },
    ...{ says: /"local-relay\/new".*hybridConnections\/write/, next: /^hcm account show$/ },
  },
  {
    what: 'an account that may read only, and an app to attach to',
    act: async (bed) => attach({ ...bed, azure: await signedInAs(bed, READER) } as AzureBed, 'good'),
    ...{ code: 'HCM_AZURE_FORBIDDEN', status: 3, azure: 'AuthorizationFailed' },
    ...{ says: /listKeys\/action/, next: /^hcm account show$/ },
  },
  {
    what: 'a plan that is full',
    act: (bed) => attach(bed, 'good', 'full-app'),
    ...{ code: 'HCM_PLAN_LIMIT', status: 5 },
    ...{ says: /"full-plan" \(Basic, B1\) takes 5/, next: /^hcm plan show full-plan$/ },
  },
  {
    what: 'a name that somebody else has',
    act: ({ azure }) => namespace(azure, { name: 'taken-relay' }),
    ...{ code: 'HCM_NAME_TAKEN', status: 5 },
    ...{ says: /"taken-relay" is taken/, next: /^hcm namespace check-name taken-relay-2$/ },
  },
  {
    what: 'a location without relays',
    act: ({ azure }) => namespace(azure, { location: 'atlantis' }),
    ...{ code: 'HCM_LOCATION_INVALID', status: 2 },
    ...{ says: /"atlantis".*It has them in: .*westeurope/, next: /--location NAME/ },
  },
  {
    what: 'a resource group that is not there',
    act: ({ azure }) => namespace(azure, { resourceGroup: 'gone' }),
    ...{ code: 'HCM_RESOURCE_NOT_FOUND', status: 5 },
    ...{ says: /no resource group "gone"/, next: /--create-resource-group/ },
  },
  {
    what: 'a connection without metadata, to be attached',
    act: (bed) => attach(bed, 'plain'),
    ...{ code: 'HCM_METADATA_INVALID', status: 5 },
    ...{ says: /names no target/, next: /^hcm connection update local-relay\/plain --target HOST:PORT$/ },
  },
  {
    what: 'metadata that is no JSON, to be attached',
    act: (bed) => attach(bed, 'scribbled'),
    ...{ code: 'HCM_METADATA_INVALID', status: 5 },
    ...{ says: /JSON/, next: /^hcm connection update local-relay\/scribbled --target HOST:PORT$/ },
  },
  {
    what: 'a login that has expired',
    act: async (bed) => connection(await signedInLongAgo(bed)),
    ...{ code: 'HCM_SIGN_IN_REQUIRED', status: 3, azure: 'AADSTS700082' },
    ...{ says: /expired/, next: /^hcm login --device-code --tenant \S+ --cloud local$/ },
  },
  {
    what: 'no network',
    act: async (bed) => connection(await unreachable(bed)),
    ...{ code: 'HCM_CONNECT_REFUSED', status: 4 },
    ...{ says: /127\.0\.0\.1:\d+/, next: /./ },
  },
];

describe('bad input and bad luck with Azure', () => {
  let bed: AzureBed;
  before(async () => {
    const principals = [STRANGER, { ...READER, roles: ['Reader' as const] }];
    bed = await AzureBed.start({ principals, behaviour: { provisioningMs: 0, deviceCodeIntervalS: 0.01 } });
    const { emulator } = bed;
    for (const name of ['plain', 'scribbled']) emulator.addConnection({ name });
    emulator.addConnection({ name: 'good', target: 'db.corp.local:5432' });
    const [relay] = emulator.state.namespaces;
    assert.ok(relay);
    const scribbled = relay.connections.find(({ name }) => name === 'scribbled');
    assert.ok(scribbled);
    scribbled.userMetadata = NOT_JSON;
    emulator.state.namespaces.push({
      ...relay,
      name: 'taken-relay',
      subscriptionId: NOBODY,
      connections: [],
    });
    fillPlan();
  });
  after(() => bed.stop());
  afterEach(() => bed.emulator.faults.entra.clear());

  /** Adds an app whose Basic plan has its five connections. */
  function fillPlan(): void {
    const { plans, sites } = bed.emulator.state;
    const [plan] = plans;
    const [app] = sites;
    assert.ok(plan && app);
    const sku = { name: 'B1', tier: 'Basic', size: 'B1', family: 'B', capacity: 1 };
    plans.push({ ...plan, name: 'full-plan', sku });
    const relays = [1, 2, 3, 4, 5].map((number) => ({
      ...{ namespace: 'local-relay', name: `c${number}`, relayArmUri: '/x', hostname: 'a', port: 1 },
      ...{ sendKeyName: 'defaultSender', sendKeyValue: 'x', serviceBusSuffix: '.servicebus.localhost' },
    }));
    const planId = app.planId.replace('local-plan', 'full-plan');
    sites.push({ ...app, name: 'full-app', planId, relays, slots: [] });
  }

  for (const { what, act, code, status, says, next, azure } of CASES) {
    it(`${what} is ${code}, status ${status}, and nothing is half-made`, async () => {
      const before = JSON.stringify(bed.emulator.state);
      const thrown: unknown = await act(bed).then(
        () => assert.fail('it worked'),
        (error: unknown) => error,
      );
      const error = toUserError(thrown);
      assert.deepEqual(
        [error.code, error.exitStatus, error.azure?.code],
        [code, status, azure],
        error.message,
      );
      assert.match(error.message, says);
      assert.match(error.next, next);
      assert.doesNotMatch(error.message, /SharedAccessKey|secret-of/);
      assert.equal(JSON.stringify(bed.emulator.state), before);
    });
  }

  it('an app on Linux with the target localhost is attached, with a warning', async () => {
    const [app] = bed.emulator.state.sites;
    assert.ok(app);
    app.kind = 'app,linux';
    bed.emulator.addConnection({ name: 'here', target: 'localhost:5432' });
    const { changed, warnings } = await attach(bed, 'here');
    assert.equal(changed, true);
    assert.match(warnings.join('\n'), /^On Linux, "localhost" means the app itself/);
  });
});
