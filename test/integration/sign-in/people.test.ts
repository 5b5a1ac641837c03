// People who sign in: a device code or a browser once, then nothing until Azure asks again.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { get as getPlain, type IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';
import type { Subscription } from '../../../src/lib/arm/subscriptions.ts';
import { loadAccount, tokenCacheFile } from '../../../src/lib/auth/account.ts';
import { signIn, signOut, type SignInRequest } from '../../../src/lib/auth/sign-in.ts';
import { openAzureIn } from '../../../src/lib/auth/subscriptions.ts';
import { until } from '../../helpers/until.ts';
import { SignInBed } from './sign-in-bed.ts';

describe('a sign-in that is remembered', () => {
  const bed = SignInBed.use();

  describe('of a person', () => {
    const login = async (overrides: Partial<SignInRequest>) =>
      signIn({ method: 'device', ...(await bed.request({ prompt: bed.prompt })), ...overrides }, {});

    it('signs in with a device code once; the next command asks nobody', async () => {
      const { account, subscriptions } = await login({});
      assert.deepEqual(
        [account.method, account.name, account.subscriptionName, subscriptions.length],
        ['device', 'developer@local.localhost', 'Local', 1],
      );
      assert.equal(bed.prompts.length, 1);
      assert.match(bed.prompts[0] ?? '', /enter the code [A-Z0-9]+/);
      const next = await bed.open();
      assert.deepEqual([next.method, next.account], ['device', 'developer@local.localhost']);
      assert.deepEqual(await bed.see(next), ['Local']);
      assert.equal(bed.prompts.length, 1);
    });

    it('has tokens in a file of their own that nobody else can read, and none in what is remembered', async () => {
      await login({});
      const cache = tokenCacheFile(bed.directory, 'local');
      const tokens = JSON.parse(await readFile(cache, 'utf8')) as Record<
        string,
        Record<string, { secret: string }>
      >;
      const secrets = ['AccessToken', 'RefreshToken'].flatMap((kind) =>
        Object.values(tokens[kind] ?? {}).map(({ secret }) => secret),
      );
      assert.ok(secrets.length >= 2);
      assert.equal((await stat(cache)).mode & 0o777, 0o600);
      for (const file of await readdir(bed.directory)) {
        if (file === 'tokens-local.json') continue;
        const text = await readFile(join(bed.directory, file), 'utf8');
        assert.ok(!secrets.some((secret) => text.includes(secret)), file);
      }
    });

    it('is not asked when Azure wants a newer token: the refresh token gets it', async () => {
      await login({});
      bed.emulator.faults.entra.revokeTokens();
      assert.deepEqual(await bed.see(await bed.open()), ['Local']);
      assert.equal(bed.prompts.length, 1);
    });

    it('whose sign-in has run out is told why, and to sign in the same way again', async () => {
      await login({});
      bed.emulator.faults.entra.revokeTokens();
      bed.emulator.faults.entra.refuse({ aadsts: 700082 });
      await assert.rejects(
        bed.see(await bed.open()),
        (error: Error & { code?: string; details?: object }) => {
          assert.equal(error.code, 'HCM_SIGN_IN_REQUIRED');
          assert.match(error.message, /AADSTS700082/);
          assert.match(JSON.stringify(error.details), /hcm login --device-code --tenant \S+ --cloud local/);
          return true;
        },
      );
      assert.equal(bed.prompts.length, 1);
    });

    it('at a terminal may sign in again in the middle of a command', async () => {
      await login({});
      bed.emulator.faults.entra.revokeTokens();
      bed.emulator.faults.entra.refuse({ aadsts: 50173, times: 1 });
      assert.deepEqual(await bed.see(await bed.open({ prompt: bed.prompt })), ['Local']);
      assert.equal(bed.prompts.length, 2);
    });

    it('who never signed in is not asked without a terminal', async () => {
      await assert.rejects(bed.see(await bed.open({ auth: 'device' })), { code: 'HCM_SIGN_IN_REQUIRED' });
    });

    it('whose token file is broken signs in again', async () => {
      await login({});
      await writeFile(tokenCacheFile(bed.directory, 'local'), '{"AccessTok');
      await assert.rejects(bed.see(await bed.open()), { code: 'HCM_SIGN_IN_REQUIRED' });
      await login({});
      assert.deepEqual(await bed.see(await bed.open()), ['Local']);
    });

    it('who declines is not signed in, and nothing is remembered', async () => {
      bed.emulator.faults.entra.refuse({ aadsts: 70017 });
      await assert.rejects(login({}), { code: 'HCM_SIGN_IN_FAILED' });
      assert.equal(await loadAccount(bed.directory, 'local'), undefined);
    });

    it('signs in in the browser', async () => {
      // The program that opens pages: it only notes the address, and the test is the browser.
      const [program, noted] = [join(bed.directory, 'browser'), join(bed.directory, 'address')];
      await writeFile(program, `#!/bin/sh\nprintf %s "$1" > ${noted}.new && mv ${noted}.new ${noted}\n`);
      await chmod(program, 0o755);
      bed.setProcess({ BROWSER: program, DISPLAY: '' });
      const signingIn = login({ method: 'browser' });
      const names = new Set<string>();
      await until(() => {
        void readdir(bed.directory).then((files) => files.forEach((name) => names.add(name)));
        return names.has('address');
      }, 'the page');
      const asked = new URL(await readFile(noted, 'utf8'));
      assert.ok(asked.searchParams.get('code_challenge'));
      const redirect = await locationOf(asked, bed.emulator.caPem);
      await locationOf(redirect);
      const { account } = await signingIn;
      assert.deepEqual([account.method, account.name], ['browser', 'developer@local.localhost']);
      assert.deepEqual(bed.prompts, ['browser']);
      assert.deepEqual(await bed.see(await bed.open()), ['Local']);
    });

    it('signs out: tokens and what was remembered are gone', async () => {
      await login({});
      assert.equal(await signOut(bed.directory, 'local'), true);
      assert.deepEqual((await readdir(bed.directory)).sort(), [
        'account.json',
        'clouds.json',
        'local.secret',
      ]);
      assert.equal((await bed.open()).method, 'local');
      assert.equal(await signOut(bed.directory, 'local'), false);
    });
  });

  describe('where there are several subscriptions', () => {
    const login = async (overrides: Partial<SignInRequest> = {}) =>
      (await signIn({ method: 'local', ...(await bed.request()), ...overrides }, {})).account;

    beforeEach(() => {
      const { subscriptions, roleAssignments, subscriptionId: first } = bed.emulator.state;
      const [known] = subscriptions;
      assert.ok(known);
      const subscriptionId = randomUUID();
      subscriptions.push({ ...known, subscriptionId, displayName: 'Dev' });
      // Whoever has a role in the first has it in the second.
      const moved = roleAssignments.map((one) => ({
        ...one,
        scope: one.scope.replace(first, subscriptionId),
      }));
      roleAssignments.push(...moved);
    });
    afterEach(() => {
      const { subscriptions, roleAssignments } = bed.emulator.state;
      const [, dev] = subscriptions.splice(0, Infinity, ...subscriptions.slice(0, 1));
      const kept = roleAssignments.filter(({ scope }) => !scope.includes(dev?.subscriptionId ?? ''));
      roleAssignments.splice(0, Infinity, ...kept);
    });

    it("takes the emulator's first, the one named, or again the one that was remembered", async () => {
      assert.equal((await login()).subscriptionName, 'Local');
      assert.equal((await login({ wanted: 'dev' })).subscriptionName, 'Dev');
      assert.equal((await login({ method: 'device', prompt: bed.prompt })).subscriptionName, 'Dev');
      assert.equal(
        (await bed.open()).subscriptionId,
        (await loadAccount(bed.directory, 'local'))?.subscriptionId,
      );
      await assert.rejects(login({ wanted: 'nope' }), { code: 'HCM_SUBSCRIPTION_MISSING' });
    });

    it('asks where nothing tells which, and chooses none where nobody can be asked', async () => {
      const device = { method: 'device', prompt: bed.prompt } as const;
      assert.equal((await login(device)).subscriptionId, undefined);
      const session = await bed.open();
      await assert.rejects(openAzureIn(session, undefined, {}), {
        ...{ code: 'HCM_SUBSCRIPTION_MISSING', message: 'No subscription is chosen. There are: Local, Dev.' },
      });
      const asked: string[] = [];
      const { subscriptionName } = await login({
        ...device,
        askSubscription: (known) => {
          asked.push(...known.map(({ displayName }) => displayName));
          return Promise.resolve(known[1] as Subscription);
        },
      });
      assert.deepEqual([asked, subscriptionName], [['Local', 'Dev'], 'Dev']);
      const { subscriptionId } = await openAzureIn(await bed.open(), 'LOCAL', {});
      assert.equal(subscriptionId, bed.emulator.state.subscriptionId);
    });
  });

  describe('of a service principal', () => {
    const login = async (secret: string, overrides: Partial<SignInRequest> = {}) => {
      const { tenantId: tenant, clientId } = bed.app;
      const request = await bed.request({ tenant, clientId, secret });
      return signIn({ ...{ method: 'service-principal' }, ...request, ...overrides }, {});
    };

    it('has its secret in a file of its own that nobody else can read', async () => {
      await login(bed.app.clientSecret);
      const session = await bed.open();
      assert.deepEqual([session.method, session.tenantId], ['service-principal', bed.app.tenantId]);
      assert.deepEqual(await bed.see(session), ['Local']);
      const file = join(bed.directory, 'secret-local');
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      const remembered = await readFile(join(bed.directory, 'account.json'), 'utf8');
      assert.ok(!remembered.includes(bed.app.clientSecret));
      await signOut(bed.directory, 'local');
      await assert.rejects(stat(file), { code: 'ENOENT' });
    });

    it('with a wrong secret leaves the sign-in before as it was', async () => {
      await login(bed.app.clientSecret);
      await assert.rejects(login('wrong'), { code: 'HCM_SIGN_IN_FAILED' });
      assert.deepEqual(await bed.see(await bed.open()), ['Local']);
    });

    it('leaves no tokens of the person who signed in before', async () => {
      await signIn({ method: 'device', ...(await bed.request({ prompt: bed.prompt })) }, {});
      await login(bed.app.clientSecret);
      await assert.rejects(stat(tokenCacheFile(bed.directory, 'local')), { code: 'ENOENT' });
    });
  });
});

/** Where a page leads to; '' when it leads nowhere. */
function locationOf(url: URL, ca?: string): Promise<URL> {
  return new Promise((resolve, reject) => {
    const onAnswer = (answer: IncomingMessage) => {
      answer.resume();
      resolve(new URL(answer.headers.location ?? '', url));
    };
    if (ca === undefined) getPlain(url, { agent: false }, onAnswer).on('error', reject);
    else get(url, { agent: false, ca }, onAnswer).on('error', reject);
  });
}
