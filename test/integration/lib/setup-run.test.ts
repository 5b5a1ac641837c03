// `hcm setup` as a whole, with a script instead of a terminal: sign-in, subscription, the yes, and what is printed.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { saveCloud } from '../../../src/lib/auth/clouds.ts';
import { Output } from '../../../src/lib/cli/output.ts';
import { runSetup, type SetupRun } from '../../../src/lib/cli/setup/run-setup.ts';
import { HcmError } from '../../../src/protocol/errors.ts';
import { parseTarget } from '../../../src/protocol/target.ts';
import { AzureBed } from '../../helpers/azure-bed.ts';
import { LEAVE, ScriptedPrompts, type ScriptedAnswer } from '../../helpers/scripted-prompts.ts';
import { written } from '../../helpers/written.ts';

const OTHER = '11111111-2222-3333-4444-555555555555';
const GIVEN = {
  ...{ app: 'local-app', target: parseTarget('127.0.0.1:9'), namespace: 'local-relay', connection: 'db' },
  listen: false,
};

describe('hcm setup, from its first word to its last', () => {
  let bed: AzureBed;
  let directory: string;
  before(async () => {
    bed = await AzureBed.start({ subscriptions: [{ displayName: 'Other one', subscriptionId: OTHER }] });
    directory = await mkdtemp(join(tmpdir(), 'hcm-setup-'));
    const caFile = join(directory, 'ca.pem');
    await writeFile(caFile, bed.emulator.caPem);
    await saveCloud({ ...bed.azure.cloud, name: 'lab', caFile }, directory);
  });
  after(async () => {
    await bed.stop();
    await rm(directory, { recursive: true });
  });

  async function run(
    script: Readonly<Record<string, ScriptedAnswer>>,
    more: Partial<SetupRun> = {},
  ): Promise<{ prompts: ScriptedPrompts; status: number; stdout: string; stderr: string; failed: unknown }> {
    const { tenantId, clientId, clientSecret } = bed.emulator.state;
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const prompts = new ScriptedPrompts(script);
    let failed: unknown;
    const status = await runSetup({
      flags: { cloud: 'lab', json: false, 'no-input': false },
      ...{ given: GIVEN, yes: false, json: false, timeoutMs: 5_000, graceMs: 0, prompts },
      output: new Output({ stdout, stderr, env: {} }),
      env: {
        ...{ HCM_STATE_DIR: directory, AZURE_TENANT_ID: tenantId },
        ...{ AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: clientSecret },
      },
      ...more,
    }).catch((error: unknown) => {
      failed = error;
      return -1;
    });
    return { prompts, status, stdout: written(stdout), stderr: written(stderr), failed };
  }

  for (const [how, answer] of [
    ['a no', false],
    ['Ctrl-C', LEAVE],
  ] as const) {
    it(`${how} to the plan changes nothing, and the plan was shown before`, async () => {
      let ended: Awaited<ReturnType<typeof run>> | undefined;
      const writes = await bed.writesOf(async () => {
        ended = await run({ subscription: 'Local', confirm: answer });
      });
      assert.equal(writes, 0);
      const { failed, stderr, stdout, prompts } = ended ?? assert.fail();
      assert.deepEqual(prompts.asked, ['subscription', 'confirm']);
      assert.ok(failed instanceof HcmError);
      assert.equal(failed.code, 'HCM_INTERRUPTED');
      assert.match(failed.message, /nothing was changed/);
      assert.match(stderr, /What will be done[^]+hcm connection create local-relay\/db --target 127/);
      assert.match(stderr, /hcm setup --app local-app .* --yes --cloud lab/);
      assert.equal(stdout, '');
    });
  }

  it('Ctrl-C at the first question is told the same', async () => {
    const { failed } = await run({ subscription: LEAVE });
    assert.ok(failed instanceof HcmError);
    assert.match(failed.message, /nothing was changed/);
  });

  it('after the yes it makes what is missing, and prints what runs on the other machine', async () => {
    const { status, stdout, stderr, prompts } = await run({ subscription: 'Local', confirm: true });
    assert.equal(status, 0, stderr);
    assert.deepEqual(prompts.asked, ['subscription', 'confirm']);
    assert.match(
      stdout,
      /^local-app reaches 127\.0\.0\.1:9 through local-relay\/db, once a listener runs\.$/m,
    );
    const { subscriptionId } = bed.emulator.state;
    assert.match(stdout, /^ {2}hcm listen local-relay\/db --cloud lab( --subscription Local)?$/m);
    assert.match(stderr, /created the hybrid connection local-relay\/db\n[^]*attached it to local-app/);
    assert.doesNotMatch(stderr, /SharedAccessKey=/);
    assert.equal(bed.emulator.state.namespaces[0]?.subscriptionId, subscriptionId);
  });

  it('with --json and --yes it is one document, the same again changes nothing', async () => {
    const flags = { cloud: 'lab', json: true, 'no-input': false, subscription: 'Local' };
    const { status, stdout, prompts } = await run({}, { flags, json: true, yes: true });
    assert.equal(status, 0);
    assert.deepEqual(prompts.asked, []);
    const { changed, namespace, connection, app, listen } = JSON.parse(stdout) as {
      changed: boolean;
      namespace: { created: boolean };
      connection: { target: string };
      app: { name: string; attached: boolean };
      listen: string;
    };
    assert.deepEqual(
      [changed, namespace.created, connection.target, app.name, app.attached],
      [false, false, '127.0.0.1:9', 'local-app', false],
    );
    assert.match(listen, /^hcm listen local-relay\/db/);
  });
});
