// Connections, rules and keys: hcm's services against the emulator's Resource Manager.
import assert from 'node:assert/strict';
import { getConnection } from '../../../src/lib/arm/connections.ts';
import { findNamespace } from '../../../src/lib/arm/namespaces.ts';
import { listKeys, listRules, putRule } from '../../../src/lib/arm/rules.ts';
import { attachConnection } from '../../../src/lib/services/attach.ts';
import { updateConnection } from '../../../src/lib/services/connection-update.ts';
import {
  createConnection,
  deleteConnection,
  listConnections,
  showConnection,
} from '../../../src/lib/services/connections.ts';
import { planRotation, rotateKeys } from '../../../src/lib/services/keys.ts';
import { findOwner, findRule } from '../../../src/lib/services/owners.ts';
import { createRule, deleteRule } from '../../../src/lib/services/rules.ts';
import { HcmError } from '../../../src/protocol/errors.ts';
import { parseTarget } from '../../../src/protocol/target.ts';
import { DB, rejected, TARGET, TIMEOUT_MS, useRelayBed } from './relay-under-test.ts';

describe('hybrid connections', () => {
  const bed = useRelayBed();
  const state = () => bed().emulator.state;

  describe('a connection', () => {
    beforeEach(() =>
      createConnection(bed().azure, { connection: DB, target: TARGET, timeoutMs: TIMEOUT_MS }),
    );
    afterEach(async () => {
      await deleteConnection(bed().azure, { connection: DB, confirm: () => Promise.resolve() });
      for (const app of state().sites.flatMap((site) => [site, ...site.slots])) app.relays = [];
    });
    const owner = () => findOwner(bed().azure, DB);
    const metadata = () => state().namespaces[0]?.connections.find(({ name }) => name === 'db');
    const site = (name = 'local-app') => state().sites.find((one) => one.name === name) ?? assert.fail();
    const attach = (app = 'local-app') => attachConnection(bed().azure, { app, connection: DB });
    const update = (target: string) =>
      updateConnection(bed().azure, {
        ...{ connection: DB, target: parseTarget(target) },
        confirmReplacement: () => Promise.reject(new HcmError('HCM_CONFIRMATION_NEEDED', 'no')),
      });

    it('has its target and the two rules, whose keys stay when it is made again', async () => {
      assert.deepEqual(await listRules(bed().azure, await owner()), [
        { name: 'defaultListener', rights: ['Listen'] },
        { name: 'defaultSender', rights: ['Send'] },
      ]);
      const keys = await listKeys(bed().azure, await owner(), 'defaultSender');
      const writes = await bed().writesOf(async () => {
        const request = { connection: DB, target: TARGET, timeoutMs: TIMEOUT_MS };
        assert.equal((await createConnection(bed().azure, request)).changed, false);
      });
      assert.equal(writes, 0);
      assert.deepEqual(await listKeys(bed().azure, await owner(), 'defaultSender'), keys);
    });

    it('that lacks a rule gets it', async () => {
      await deleteRule(bed().azure, { owner: DB, rule: 'defaultListener', confirm: () => Promise.resolve() });
      const { changed } = await createConnection(bed().azure, { connection: DB, timeoutMs: TIMEOUT_MS });
      assert.equal(changed, true);
      assert.equal((await listRules(bed().azure, await owner())).length, 2);
    });

    it('that exists otherwise is not changed by making it', async () => {
      const other = { connection: DB, target: parseTarget('other:1'), timeoutMs: TIMEOUT_MS };
      const error = await rejected(createConnection(bed().azure, other), 'HCM_RESOURCE_CONFLICT');
      assert.equal(error.details['next'], 'hcm connection update local-relay/db --target other:1');
      const open = { connection: DB, requiresClientAuthorization: false, timeoutMs: TIMEOUT_MS };
      await rejected(createConnection(bed().azure, open), 'HCM_RESOURCE_CONFLICT');
      const bad = { connection: { ...DB, name: '.db' }, timeoutMs: TIMEOUT_MS };
      await rejected(createConnection(bed().azure, bad), 'HCM_NAME_INVALID');
    });

    it('may have a slash in its name', async () => {
      const connection = { namespace: 'local-relay', name: 'site/a' };
      await createConnection(bed().azure, { connection, target: TARGET, timeoutMs: TIMEOUT_MS });
      const { connection: view, rules } = await showConnection(bed().azure, connection);
      assert.deepEqual([view.name, rules.length], ['site/a', 2]);
      const deleted = await deleteConnection(bed().azure, { connection, confirm: () => Promise.resolve() });
      assert.equal(deleted.changed, true);
    });

    it('is listed in its namespace and in the subscription', async () => {
      for (const where of [{}, { namespace: 'local-relay' }, { resourceGroup: 'local' }]) {
        const names = (await listConnections(bed().azure, where)).map(({ name }) => name);
        assert.deepEqual(names, ['db']);
      }
    });

    it('shows the apps, whether their keys still match, and whether their target does', async () => {
      await attach();
      await attach('local-func');
      const shown = async () =>
        (await showConnection(bed().azure, DB)).apps?.map(
          ({ attachment, sendKey, targetMatches }) => `${attachment.app.name} ${sendKey} ${targetMatches}`,
        );
      assert.deepEqual(await shown(), ['local-app primary true', 'local-func primary true']);
      const [relay] = site().relays;
      assert.ok(relay);
      Object.assign(relay, { sendKeyValue: 'old', port: 1 });
      // The plan of the two tells one key for both.
      assert.deepEqual(await shown(), ['local-app stale false', 'local-func stale true']);
      bed().refuse({ status: 403, code: 'AuthorizationFailed', path: /serverfarms\/.*\/listKeys$/i });
      assert.deepEqual(await shown(), ['local-app unknown false', 'local-func unknown true']);
      bed().refuse({ status: 403, code: 'AuthorizationFailed', path: /\/sites$/i });
      assert.equal(await shown(), undefined);
    });

    it('gets another target in one step: metadata, where foreign entries stay, and each app', async () => {
      await attach();
      await attach('local-func');
      const connection = metadata();
      assert.ok(connection);
      connection.userMetadata =
        '[{"key":"owner","value":"me"},{"key":"endpoint","value":"db.corp.local:5432"}]';
      const [before] = site().relays.map(({ sendKeyValue }) => sendKeyValue);
      const { changed, connection: view, apps } = await update('[fd00::1]:5433');
      assert.deepEqual([changed, view.target, apps.length], [true, '[fd00::1]:5433', 2]);
      assert.equal(
        metadata()?.userMetadata,
        '[{"key":"owner","value":"me"},{"key":"endpoint","value":"[fd00::1]:5433"}]',
      );
      for (const app of ['local-app', 'local-func']) {
        const [relay] = site(app).relays;
        assert.deepEqual([relay?.hostname, relay?.port, relay?.sendKeyValue], ['fd00::1', 5433, before]);
      }
      const writes = await bed().writesOf(async () => {
        assert.equal((await update('[fd00::1]:5433')).changed, false);
      });
      assert.equal(writes, 0);
    });

    it('whose apps may not be read is changed only by who says that they are to stay', async () => {
      await attach();
      bed().refuse({ status: 403, code: 'AuthorizationFailed', path: /Microsoft.Web/i });
      const { details } = await rejected(update('other:1'), 'HCM_AZURE_FORBIDDEN');
      assert.match(String(details['next']), /--skip-apps/);
      const { changed, apps } = await updateConnection(bed().azure, {
        ...{ connection: DB, target: parseTarget('other:1'), skipApps: true },
        confirmReplacement: () => assert.fail('nothing is replaced'),
      });
      assert.deepEqual([changed, apps, site().relays[0]?.hostname], [true, [], 'db.corp.local']);
    });

    it('when a step fails, is as it was before', async () => {
      await attach();
      await attach('local-func');
      const relays = JSON.stringify(site().relays);
      bed().refuse({
        ...{ status: 409, code: 'Conflict', message: 'Locked.', method: 'PUT', times: 1 },
        path: /local-func\/hybridConnectionNamespaces/i,
      });
      const error = await rejected(update('other:1'), 'HCM_RESOURCE_CONFLICT');
      assert.match(error.message, /All is as it was before\.$/);
      const { connection, apps } = await showConnection(bed().azure, DB);
      assert.equal(connection.target, 'db.corp.local:5432');
      assert.equal(JSON.stringify(site().relays), relays);
      assert.ok(apps?.every(({ targetMatches, sendKey }) => targetMatches && sendKey === 'primary'));
    });

    it('when that cannot be taken back, says what is not as it was', async () => {
      await attach();
      bed().refuse({
        status: 409,
        code: 'Conflict',
        method: 'PUT',
        path: /local-app\/hybridConnectionNamespaces/i,
      });
      const { message } = await rejected(update('other:1'), 'HCM_RESOURCE_CONFLICT');
      assert.match(message, /Could not be taken back: the app "local-app"\./);
    });

    it('keeps metadata that is no list, until somebody says yes', async () => {
      const connection = metadata();
      assert.ok(connection);
      connection.userMetadata = 'Owned by Team X';
      const view = (await showConnection(bed().azure, DB)).connection;
      assert.deepEqual([view.target, typeof view.metadataFault], [undefined, 'string']);
      await rejected(update('other:1'), 'HCM_CONFIRMATION_NEEDED');
      assert.equal(metadata()?.userMetadata, 'Owned by Team X');
      const asked: string[] = [];
      await updateConnection(bed().azure, {
        ...{ connection: DB, target: parseTarget('other:1') },
        confirmReplacement: (text) => Promise.resolve(void asked.push(text)),
      });
      assert.deepEqual(asked, ['Owned by Team X']);
      assert.equal(metadata()?.userMetadata, '[{"key":"endpoint","value":"other:1"}]');
    });

    it('keeps foreign metadata entries beside an endpoint that cannot be read, and asks nobody', async () => {
      const connection = metadata();
      assert.ok(connection);
      connection.userMetadata = '[{"key":"owner","value":"me"},{"key":"endpoint","value":"no-port"}]';
      assert.equal((await update('other:1')).changed, true);
      assert.equal(
        metadata()?.userMetadata,
        '[{"key":"owner","value":"me"},{"key":"endpoint","value":"other:1"}]',
      );
    });

    it('is deleted once its apps are detached, and a second time that is success, too', async () => {
      await attach();
      const seen: string[] = [];
      const confirm = (_: unknown, apps: readonly { app: { name: string } }[]) =>
        Promise.resolve(void seen.push(...apps.map(({ app }) => app.name)));
      const { changed, detached } = await deleteConnection(bed().azure, { connection: DB, confirm });
      assert.deepEqual([changed, detached.length, seen], [true, 1, ['local-app']]);
      assert.deepEqual(site().relays, []);
      assert.deepEqual(await deleteConnection(bed().azure, { connection: DB, confirm }), {
        ...{ changed: false, detached: [] },
      });
      assert.equal(
        await getConnection(bed().azure, {
          ...(await findNamespace(bed().azure, 'local-relay')),
          connection: 'db',
        }),
        undefined,
      );
    });

    it('a half-made one is told: what exists, and that the same command goes on', async () => {
      await deleteConnection(bed().azure, { connection: DB, confirm: () => Promise.resolve() });
      bed().refuse({ status: 403, code: 'AuthorizationFailed', method: 'PUT', path: /defaultSender$/i });
      const request = { connection: DB, target: TARGET, timeoutMs: TIMEOUT_MS };
      const { message } = await rejected(createConnection(bed().azure, request), 'HCM_AZURE_FORBIDDEN');
      assert.match(
        message,
        /Done before that: created the hybrid connection "local-relay\/db"; made the rule/,
      );
      bed().emulator.faults.arm.clear();
      assert.equal((await createConnection(bed().azure, request)).changed, true);
      assert.equal((await listRules(bed().azure, await owner())).length, 2);
    });

    describe('its rules and keys', () => {
      const rotate = async (keys: readonly ('primary' | 'secondary')[], rule = 'defaultSender') => {
        const plan = await planRotation(bed().azure, { owner: await owner(), rule, keys, moveApps: true });
        await rotateKeys(bed().azure, plan);
        return plan;
      };
      const sendKeyOf = (app = 'local-app') => site(app).relays[0]?.sendKeyValue;

      it('rotation moves the apps to the other key first', async () => {
        await attach();
        await attach('local-func');
        const before = await listKeys(bed().azure, await owner(), 'defaultSender');
        const plan = await rotate(['primary']);
        assert.deepEqual(
          plan.steps.map(({ step }) => step),
          ['move', 'move', 'regenerate'],
        );
        const after = await listKeys(bed().azure, await owner(), 'defaultSender');
        assert.notEqual(after.primaryKey, before.primaryKey);
        assert.deepEqual(
          [after.secondaryKey, sendKeyOf(), sendKeyOf('local-func')],
          Array(3).fill(before.secondaryKey),
        );
      });

      it('moves nobody who is on the other key', async () => {
        await attach();
        await rotate(['primary']);
        const plan = await rotate(['primary']);
        assert.deepEqual(
          plan.steps.map(({ step }) => step),
          ['regenerate'],
        );
      });

      it('of both keys leaves the apps on a good one', async () => {
        await attach();
        const before = await listKeys(bed().azure, await owner(), 'defaultSender');
        await rotate(['primary', 'secondary']);
        const after = await listKeys(bed().azure, await owner(), 'defaultSender');
        assert.ok(![before.primaryKey, before.secondaryKey].includes(after.primaryKey));
        assert.ok(![before.primaryKey, before.secondaryKey].includes(after.secondaryKey));
        assert.equal(sendKeyOf(), after.primaryKey);
      });

      it('that fails in the middle leaves every app on a good key', async () => {
        await attach();
        await attach('local-func');
        bed().refuse({
          status: 409,
          code: 'Conflict',
          method: 'PUT',
          path: /local-func\/hybridConnectionNamespaces/i,
        });
        const { message } = await rejected(rotate(['primary']), 'HCM_RESOURCE_CONFLICT');
        assert.match(message, /Done before that: moved the app "local-app"/);
        const keys = await listKeys(bed().azure, await owner(), 'defaultSender');
        assert.deepEqual([sendKeyOf(), sendKeyOf('local-func')], [keys.secondaryKey, keys.primaryKey]);
        bed().emulator.faults.arm.clear();
        const plan = await rotate(['primary']);
        assert.equal(plan.steps.length, 3, 'in one plan nobody knows which app has which key');
        const { secondaryKey } = await listKeys(bed().azure, await owner(), 'defaultSender');
        assert.deepEqual([sendKeyOf(), sendKeyOf('local-func')], [secondaryKey, secondaryKey]);
      });

      it('of a rule of the namespace concerns the apps that send with it, and no namesake', async () => {
        await attach();
        await attach('local-func');
        const namespace = await findOwner(bed().azure, { namespace: 'local-relay' });
        const root = await listKeys(bed().azure, namespace, 'RootManageSharedAccessKey');
        const [relay] = site().relays;
        assert.ok(relay);
        Object.assign(relay, { sendKeyName: 'RootManageSharedAccessKey', sendKeyValue: root.primaryKey });
        const request = { owner: namespace, keys: ['primary'] as const, moveApps: true };
        const plan = await planRotation(bed().azure, { ...request, rule: 'rootmanagesharedaccesskey' });
        assert.equal(plan.steps.length, 2);
        await putRule(bed().azure, namespace, { name: 'defaultSender', rights: ['Send'] });
        const namesake = await planRotation(bed().azure, { ...request, rule: 'defaultSender' });
        assert.equal(namesake.steps.length, 1, 'local-func sends with the rule of the connection');
        await deleteRule(bed().azure, {
          ...{ owner: { namespace: 'local-relay' }, rule: 'defaultSender', confirm: () => Promise.resolve() },
        });
      });

      it('a rule is made once; other rights need a word', async () => {
        const request = { owner: DB, rule: 'reporting', rights: ['Send'] as const, replace: false };
        assert.equal((await createRule(bed().azure, request)).changed, true);
        const keys = await listKeys(bed().azure, await owner(), 'reporting');
        assert.equal((await createRule(bed().azure, request)).changed, false);
        const manage = { ...request, rights: ['Manage'] as const };
        await rejected(createRule(bed().azure, manage), 'HCM_RESOURCE_CONFLICT');
        const { rule } = await createRule(bed().azure, { ...manage, replace: true });
        assert.deepEqual(rule.rights, ['Listen', 'Send', 'Manage']);
        assert.equal((await listKeys(bed().azure, await owner(), 'reporting')).primaryKey, keys.primaryKey);
        await rejected(createRule(bed().azure, { ...request, rule: '-x' }), 'HCM_NAME_INVALID');
      });

      it('a rule is deleted with a question that names the apps, and twice is success', async () => {
        await attach();
        const seen: string[] = [];
        const request = {
          ...{ owner: DB, rule: 'DEFAULTSENDER' },
          confirm: (_: unknown, __: unknown, users: readonly { app: { name: string } }[]) =>
            Promise.resolve(void seen.push(...users.map(({ app }) => app.name))),
        };
        assert.equal((await deleteRule(bed().azure, request)).changed, true);
        assert.deepEqual(seen, ['local-app']);
        assert.equal((await deleteRule(bed().azure, request)).changed, false);
        const nowhere = { ...request, owner: { namespace: 'nowhere-at-all' } };
        assert.equal((await deleteRule(bed().azure, nowhere)).changed, false);
      });

      it('the only rule need not be named, one of several must', async () => {
        const namespace = await findOwner(bed().azure, { namespace: 'local-relay' });
        assert.equal((await findRule(bed().azure, namespace, undefined)).name, 'RootManageSharedAccessKey');
        await rejected(findRule(bed().azure, await owner(), undefined), 'HCM_INPUT_NEEDED');
        await rejected(findRule(bed().azure, await owner(), 'none'), 'HCM_RESOURCE_NOT_FOUND');
      });
    });
  });
});
