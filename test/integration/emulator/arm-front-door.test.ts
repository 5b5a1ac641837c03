/** What Resource Manager refuses before anybody is asked, in its own words; its headers, its faults, its rights. */
import { deepEqual, equal, match, notEqual } from 'node:assert/strict';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { at, errorIn, useArm, type ArmResponse } from './arm-under-test.ts';

const RELAY = '?api-version=2017-04-01';
const CORE = '?api-version=2022-09-01';

describe('the local Resource Manager', () => {
  expectNothingLeft();
  const startArm = useArm();
  const outcome = (answer: ArmResponse) => [answer.status, errorIn(answer).code];

  it('wants an api-version, and one that the thing has', async () => {
    const { ask, subscription, relay } = await startArm();
    const none = await ask('GET', subscription, undefined, { token: null });
    deepEqual(outcome(none), [400, 'MissingApiVersionParameter']);
    const core = await ask('GET', `${subscription}/resourcegroups?api-version=1999-01-01`);
    deepEqual(outcome(core), [400, 'InvalidApiVersionParameter']);
    match(
      errorIn(core).message,
      /^The api-version '1999-01-01' is invalid\. The supported versions are '20[^']+'\.$/,
    );
    const list = await ask('GET', `${relay}/namespaces?api-version=2099-01-01`);
    deepEqual(outcome(list), [404, 'InvalidResourceType']);
    const one = await ask('GET', `${relay}/namespaces/local-relay?api-version=2099-01-01`);
    deepEqual(outcome(one), [400, 'NoRegisteredProviderFound']);
    match(
      errorIn(one).message,
      /^No registered resource provider found for location 'westeurope' and API version '2099-01-01' for type 'namespaces'\. The supported api-versions are '.*2017-04-01.*'\. The supported locations are '.*westeurope.*'\.$/,
    );
    equal((await ask('GET', `${relay}/namespaces?API-Version=2017-04-01`)).status, 200);
  });

  it('wants a token that is good and meant for it', async () => {
    const { ask, subscription, token, clock } = await startArm();
    const get = (bearer: string | null) => ask('GET', subscription + CORE, undefined, { token: bearer });
    const missing = await get(null);
    deepEqual(outcome(missing), [401, 'AuthenticationFailed']);
    match(String(missing.headers['www-authenticate']), /^Bearer authorization_uri="/);
    equal(missing.headers['x-ms-failure-cause'], 'gateway');
    deepEqual(outcome(await get('rubbish')), [401, 'InvalidAuthenticationToken']);
    equal((await get(token)).status, 200);
    clock.advance(3 * 3_600_000);
    deepEqual(outcome(await get(token)), [401, 'ExpiredAuthenticationToken']);
  });

  it('knows what is not there, level by level', async () => {
    const { ask, subscription, relay, emulator } = await startArm();
    const other = '/subscriptions/00000000-0000-0000-0000-000000000001';
    const cases: [string, string, number, string][] = [
      ['GET', `${other}${CORE}`, 404, 'SubscriptionNotFound'],
      ['GET', `${other}/providers/Microsoft.Relay/namespaces${RELAY}`, 404, 'SubscriptionNotFound'],
      ['GET', `/subscriptions/nonsense${CORE}`, 400, 'InvalidSubscriptionId'],
      ['GET', `${subscription}/resourceGroups/none${CORE}`, 404, 'ResourceGroupNotFound'],
      ['GET', `${relay.replace('/local/', '/none/')}/namespaces${RELAY}`, 404, 'ResourceGroupNotFound'],
      ['GET', `${relay}/namespaces/none${RELAY}`, 404, 'ResourceNotFound'],
      ['GET', `${relay}/namespaces/none/hybridConnections/a${RELAY}`, 404, 'ResourceNotFound'],
      ['PUT', `${relay}/namespaces/none/hybridConnections/a${RELAY}`, 404, 'ParentResourceNotFound'],
      ['GET', `${relay}/queues${RELAY}`, 404, 'InvalidResourceType'],
      ['GET', `${subscription}/providers/Microsoft.Nothing/things${RELAY}`, 404, 'InvalidResourceNamespace'],
      ['GET', `${subscription}/nothing${CORE}`, 404, 'HttpResourceNotFound'],
      ['POST', `${relay}/namespaces/local-relay${RELAY}`, 405, 'MethodNotAllowed'],
    ];
    for (const [method, path, status, code] of cases) {
      const answer = await ask(method, path, method === 'PUT' ? {} : undefined);
      deepEqual(outcome(answer), [status, code], `${method} ${path}`);
    }
    const missing = await ask('GET', `${relay}/namespaces/none${RELAY}`);
    equal(
      errorIn(missing).message,
      "The Resource 'Microsoft.Relay/namespaces/none' under resource group 'local' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    );
    equal(emulator.armWrites, 0);
  });

  it('finds names without regard to case', async () => {
    const { ask, relay } = await startArm();
    const path = `${relay}/namespaces/local-relay${RELAY}`.replace('2017', '2017');
    equal((await ask('GET', path.toUpperCase())).status, 200);
  });

  it('reads bodies that are JSON objects, and no others', async () => {
    const { ask, relay } = await startArm();
    const put = (text: string, type = 'application/json') =>
      ask('PUT', `${relay}/namespaces/made-here${RELAY}`, undefined, {
        text,
        headers: { 'Content-Type': type },
      });
    for (const text of [
      '{"location":',
      '[]',
      '"text"',
      'null',
      '',
      '{"location":"westus2","properties":[]}',
    ]) {
      deepEqual(outcome(await put(text)), [400, 'InvalidRequestContent'], text);
    }
    deepEqual(outcome(await put('<a/>', 'text/xml')), [415, 'UnsupportedMediaType']);
    const large = await put(JSON.stringify({ location: 'x'.repeat(4_200_000) }));
    deepEqual(outcome(large), [413, 'RequestContentTooLarge']);
  });

  it('sends the headers that Azure sends, and the ids that the client sent', async () => {
    const { ask, subscription } = await startArm();
    const correlation = '11111111-2222-3333-4444-555555555555';
    const sent = {
      ...{ 'x-ms-correlation-request-id': correlation, 'x-ms-client-request-id': 'mine' },
      'x-ms-return-client-request-id': 'true',
    };
    const { headers } = await ask('GET', subscription + CORE, undefined, { headers: sent });
    deepEqual(
      ['cache-control', 'pragma', 'expires', 'strict-transport-security', 'x-content-type-options'].map(
        (name) => headers[name],
      ),
      ['no-cache', 'no-cache', '-1', 'max-age=31536000; includeSubDomains', 'nosniff'],
    );
    equal(headers['x-ms-correlation-request-id'], correlation);
    equal(headers['x-ms-client-request-id'], 'mine');
    match(String(headers['x-ms-request-id']), /^[0-9a-f-]{36}$/);
    match(String(headers['x-ms-routing-request-id']), /^LOCAL:\d{8}T\d{6}Z:[0-9a-f-]{36}$/);
    match(String(headers['x-ms-ratelimit-remaining-subscription-reads']), /^\d+$/);
    const plain = await ask('GET', subscription + CORE);
    notEqual(plain.headers['x-ms-correlation-request-id'], correlation);
    equal(plain.headers['x-ms-client-request-id'], undefined);
  });

  it('lets everybody do what their roles allow, and shows them no more', async () => {
    const { ask, relay, subscription, tokenOf, emulator } = await startArm({
      connections: [{ name: 'one' }],
      principals: [
        { clientId: 'reader', clientSecret: 's', roles: ['Reader'] },
        { clientId: 'nobody', clientSecret: 's' },
      ],
    });
    const [reader, nobody] = [await tokenOf('reader', 's'), await tokenOf('nobody', 's')];
    const rule = `${relay}/namespaces/local-relay/authorizationRules/RootManageSharedAccessKey`;
    equal((await ask('GET', rule + RELAY, undefined, { token: reader })).status, 200);
    const keys = await ask('POST', `${rule}/listKeys${RELAY}`, undefined, { token: reader });
    deepEqual(outcome(keys), [403, 'AuthorizationFailed']);
    match(
      errorIn(keys).message,
      /^The client 'reader' with object id '[^']+' does not have authorization to perform action 'Microsoft\.Relay\/namespaces\/authorizationRules\/listKeys\/action' over scope '\/subscriptions\/.*RootManageSharedAccessKey' or the scope is invalid\./,
    );
    const remove = await ask('DELETE', `${relay}/namespaces/none${RELAY}`, undefined, { token: reader });
    equal(remove.status, 403);
    deepEqual(at(await ask('GET', `/subscriptions${CORE}`, undefined, { token: nobody }), 'value'), []);
    equal(
      (await ask('GET', `${subscription}/resourcegroups${CORE}`, undefined, { token: nobody })).status,
      403,
    );
    equal(emulator.armWrites, 0);
  });

  it('shows parts to those who may see parts', async () => {
    const { ask, subscription, emulator, tokenOf, relay } = await startArm();
    await ask('PUT', `${subscription}/resourcegroups/mine${CORE}`, { location: 'westus2' });
    const namespaces = `${relay.replace('/local/', '/mine/')}/namespaces`;
    await ask('PUT', `${namespaces}/made-here${RELAY}`, { location: 'westus2' });
    const { putPrincipal } = await import('../../../src/emulator/entra-state.ts');
    const scope = `${subscription}/resourceGroups/MINE`;
    const spec = { clientId: 'part', clientSecret: 's', roles: [{ role: 'Reader' as const, scope }] };
    putPrincipal(emulator.state, spec, 0);
    const token = await tokenOf('part', 's');
    const namesAt = async (path: string) =>
      (
        at(await ask('GET', path, undefined, { token }), 'value') as { name?: string; displayName?: string }[]
      ).map(({ name, displayName }) => name ?? displayName);
    deepEqual(await namesAt(`${subscription}/providers/Microsoft.Relay/namespaces${RELAY}`), ['made-here']);
    deepEqual(await namesAt(`${subscription}/resourcegroups${CORE}`), ['mine']);
    deepEqual(await namesAt(`/subscriptions${CORE}`), ['Local']);
  });

  it('gives lists in pages where they are asked for', async () => {
    const { ask, relay, endpoint } = await startArm({
      connections: ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name })),
      behaviour: { armPageSize: 2 },
    });
    const names: unknown[] = [];
    let path: string | undefined = `${relay}/namespaces/local-relay/hybridConnections${RELAY}`;
    let pages = 0;
    while (path !== undefined) {
      const page = await ask('GET', path);
      names.push(...(at(page, 'value') as { name: string }[]).map(({ name }) => name));
      path = (at(page, 'nextLink') as string | undefined)?.slice(endpoint.length);
      pages += 1;
    }
    deepEqual([names, pages], [['a', 'b', 'c', 'd', 'e'], 3]);
  });

  it('throttles, fails and recovers as a fault says', async () => {
    const { ask, subscription, relay, emulator } = await startArm();
    const { arm } = emulator.faults;
    const get = () => ask('GET', subscription + CORE);
    arm.throttle({ times: 1, retryAfterS: 7 });
    arm.throttle({ times: 1 });
    arm.refuse({ status: 500, times: 1 });
    arm.refuse({ status: 503, html: '<h1>busy</h1>', times: 1 });
    const [first, second, third, fourth, fifth] = [
      await get(),
      await get(),
      await get(),
      await get(),
      await get(),
    ];
    deepEqual(outcome(first), [429, 'SubscriptionRequestsThrottled']);
    deepEqual([first.headers['retry-after'], second.headers['retry-after']], ['7', undefined]);
    deepEqual(outcome(second), [429, 'SubscriptionRequestsThrottled']);
    deepEqual(outcome(third), [500, 'InternalServerError']);
    deepEqual([fourth.status, fourth.body], [503, '<h1>busy</h1>']);
    equal(fifth.status, 200);
    const takeBack = arm.refuse({ status: 429, method: 'PUT', path: /hybridConnections/ });
    const put = () => ask('PUT', `${relay}/namespaces/local-relay/hybridConnections/a${RELAY}`, {});
    deepEqual([(await get()).status, (await put()).status], [200, 429]);
    takeBack();
    equal((await put()).status, 200);
    equal(emulator.armWrites, 1);
  });

  it('tells of each request, and counts those that change something', async () => {
    const { ask, relay, emulator, events } = await startArm();
    const path = `${relay}/namespaces/local-relay`;
    await ask('GET', path + RELAY);
    await ask('POST', `${path}/authorizationRules/RootManageSharedAccessKey/listKeys${RELAY}`);
    await ask('DELETE', `${path}/hybridConnections/none${RELAY}`);
    await ask('DELETE', `${path}/hybridConnections/none?api-version=1`);
    const told = events.flatMap((event) => {
      if (event.event !== 'arm') return [];
      return [[event.method, event.path.split('/').at(-1), event.status, event.write, event.code]];
    });
    deepEqual(told, [
      ['GET', 'local-relay', 200, false, undefined],
      ['POST', 'listKeys', 200, false, undefined],
      ['DELETE', 'none', 204, true, undefined],
      ['DELETE', 'none', 404, true, 'InvalidResourceType'],
    ]);
    equal(emulator.armWrites, 1);
  });
});
