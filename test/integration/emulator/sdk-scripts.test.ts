// Scripts with Microsoft's packages, as users write them, in processes of their own: they know the emulator by their
// environment alone (endpoint, authority, CA), and nothing of hcm.
import { deepEqual, equal } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createEmulator, type Emulator } from '../../../src/emulator/create-emulator.ts';
import { signingKey } from '../../helpers/signing-key.ts';

const run = promisify(execFile);

describe("a user's script with Microsoft's packages", function () {
  // Three processes that load the SDKs at once.
  this.timeout(30_000);
  let emulator: Emulator;
  let folder: string;
  let answers: Record<'relay' | 'app-service' | 'identity', Record<string, unknown>>;

  before(async () => {
    emulator = await createEmulator({ connections: [{ name: 'orders', target: 'db.contoso.com:1433' }] });
    emulator.state.signingKey = await signingKey();
    folder = await mkdtemp(join(tmpdir(), 'hcm-scripts-'));
    await writeFile(join(folder, 'ca.pem'), emulator.caPem);
    const [relay, appService, identity] = await Promise.all(
      ['relay', 'app-service', 'identity'].map((name) => answerOf(name)),
    );
    answers = { relay: relay ?? {}, 'app-service': appService ?? {}, identity: identity ?? {} };
  });
  after(async () => {
    await emulator.stop();
    await rm(folder, { recursive: true });
  });

  /** Runs the script to its end, and reads what it printed. */
  async function answerOf(name: string): Promise<Record<string, unknown>> {
    const script = fileURLToPath(new URL(`../../fixtures/scripts/${name}.mjs`, import.meta.url));
    const { state, port } = emulator;
    const { stdout } = await run(process.execPath, [script], {
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
        AZURE_AUTHORITY_HOST: `https://localhost:${port}`,
        AZURE_RESOURCE_MANAGER: `https://localhost:${port}`,
        AZURE_TENANT_ID: state.tenantId,
        AZURE_CLIENT_ID: state.clientId,
        AZURE_CLIENT_SECRET: state.clientSecret,
        AZURE_SUBSCRIPTION_ID: state.subscriptionId,
        RESOURCE_GROUP: state.resourceGroup,
      },
    });
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  it('makes, lists and deletes namespaces, connections and rules, and renews keys', () => {
    const { listed, ...rest } = answers.relay;
    deepEqual(rest, {
      ...{ nameAvailable: true, state: 'Succeeded', tags: { team: 'integration' } },
      ...{ connection: ['orders', 0], renewed: [true, true], left: ['local-relay'] },
    });
    deepEqual(listed, {
      ...{ namespaces: ['local-relay', 'contoso-relay'], connections: ['orders'], rules: ['sender'] },
    });
    deepEqual(
      emulator.state.namespaces.map(({ name }) => name),
      ['local-relay'],
    );
  });

  it('makes an app in a plan, attaches a hybrid connection to it and takes all away again', () => {
    deepEqual(answers['app-service'], {
      app: ['Running', 'contoso-app.azurewebsites.localhost'],
      ...{ attached: ['db.contoso.com:1433'], limit: [1, 5], keyIsKept: true, detached: [] },
      left: ['local-app', 'local-func'],
    });
  });

  it('gets tokens by its environment, and the refusal of a wrong secret', () => {
    const { audiences, refusal } = answers.identity;
    const pair = ['https://management.azure.com', 'https://relay.azure.net'];
    deepEqual(
      (audiences as string[]).map((audience) => audience.replace(/\/$/, '')),
      [...pair, ...pair, ...pair],
    );
    deepEqual(refusal, { name: 'AuthenticationRequiredError', code: 'AADSTS7000215' });
    equal(emulator.state.sites.length, 2);
  });
});
