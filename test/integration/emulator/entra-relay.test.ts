// Tokens of Entra ID at the relay: no key is involved, roles say who may listen and send.
import { deepEqual, equal, match } from 'node:assert/strict';
import { once } from 'node:events';
import { SignJWT } from 'jose';
import { expectNothingLeft } from '../../helpers/resources.ts';
import {
  closeClientsAfterEach,
  closeOf,
  nextMessage,
  openStream,
  refusal,
  start,
  TestListener,
  type OpenOptions,
} from '../../contract/ws-clients.ts';
import type { PrincipalSpec } from '../../../src/emulator/entra-state.ts';
import type { RoleName } from '../../../src/emulator/entra/roles.ts';
import { ARM, claimsOf, RELAY, useEntra, type EntraUnderTest } from './entra-under-test.ts';

const OTHER = '33333333-3333-3333-3333-333333333333';
const SECRET = 'secret';
const HOUR_MS = 3_600_000;
const GRACE_MS = 300_000;

describe('tokens of Entra ID at the relay', () => {
  expectNothingLeft();
  const startEntra = useEntra();
  closeClientsAfterEach();

  const withRoles = (...roles: NonNullable<PrincipalSpec['roles']>) => ({
    principals: [{ clientId: OTHER, clientSecret: SECRET, roles }],
  });
  const otherToken = (under: EntraUnderTest, scope = RELAY) =>
    under.accessToken(scope, { clientId: OTHER, clientSecret: SECRET });
  const statusOf = async ({ relay }: EntraUnderTest, action: 'listen' | 'connect', options: OpenOptions) => {
    const webSocket = start(relay, action, options);
    const refused = refusal(webSocket);
    return Promise.race([refused, once(webSocket, 'open').then(() => ({ status: 101, reason: '' }))]);
  };

  it('open a listener and a sender, and bytes flow', async () => {
    const under = await startEntra();
    const token = await under.accessToken(RELAY);
    const listener = await TestListener.open(under.relay, { token });
    const { sender, rendezvous } = await openStream(under.relay, listener, { token });
    sender.send('without a key');
    equal((await nextMessage(rendezvous)).data.toString(), 'without a key');
  });

  for (const [how, options] of [
    ['with Bearer in front', (token: string): OpenOptions => ({ token: `Bearer ${token}` })],
    ['in the query', (token: string): OpenOptions => ({ token, tokenIn: 'query' })],
  ] as const) {
    it(`are taken ${how}`, async () => {
      const under = await startEntra();
      const token = await under.accessToken(RELAY);
      equal((await statusOf(under, 'listen', options(token))).status, 101);
    });
  }

  it('are taken for both spellings of the audience', async () => {
    const under = await startEntra();
    for (const scope of [
      RELAY,
      'https://relay.azure.net//.default',
      'https://relay.chinacloudapi.cn/.default',
    ]) {
      const token = await under.accessToken(scope);
      equal((await statusOf(under, 'listen', { token })).status, 101, scope);
    }
  });

  for (const [role, listens, sends] of [
    ['Azure Relay Owner', 101, 'held'],
    ['Azure Relay Listener', 101, 403],
    ['Azure Relay Sender', 403, 'held'],
    ['Owner', 403, 403],
    ['Reader', 403, 403],
  ] as const satisfies readonly (readonly [RoleName, number, number | string])[]) {
    it(`of ${role}: listening is ${listens}, sending ${sends}`, async () => {
      const under = await startEntra(withRoles(role));
      const token = await otherToken(under);
      const listener = await TestListener.open(under.relay);
      if (sends === 'held') await openStream(under.relay, listener, { token });
      else equal((await statusOf(under, 'connect', { token })).status, sends);
      equal((await statusOf(under, 'listen', { token })).status, listens);
    });
  }

  it('count only where the role was given', async () => {
    const probe = await startEntra();
    const { subscriptionId } = probe.emulator.state;
    const id = `/subscriptions/${subscriptionId}/resourceGroups/LOCAL/providers/Microsoft.Relay/namespaces/local-relay/hybridConnections/one`;
    const role = { role: 'Azure Relay Listener', scope: id } as const;
    const under = await startEntra({
      ...withRoles(role),
      state: structuredClone(probe.emulator.state),
      connections: [{ name: 'one' }, { name: 'one-more' }],
    });
    const token = await otherToken(under);
    equal((await statusOf(under, 'listen', { token })).status, 101);
    equal((await statusOf(under, 'listen', { token, path: 'one-more' })).status, 403);
    // Whoever may not listen does not learn what exists.
    equal((await statusOf(under, 'listen', { token, path: 'nothing' })).status, 403);
  });

  for (const [what, make, status, reason] of [
    ['for Resource Manager', (under: EntraUnderTest) => under.accessToken(ARM), 401, /^InvalidAudience: /],
    [
      'that expired',
      async (under: EntraUnderTest) => {
        const token = await under.accessToken(RELAY);
        under.clock.advance(HOUR_MS);
        return token;
      },
      ...[401, /^ExpiredToken: /],
    ],
    [
      'without a signature',
      async (under: EntraUnderTest) => {
        const [, payload] = (await under.accessToken(RELAY)).split('.');
        return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
      },
      ...[401, /^InvalidSignature: /],
    ],
    [
      'of another tenant',
      async (under: EntraUnderTest) => {
        const claims = { ...claimsOf(await under.accessToken(RELAY)), iss: 'https://sts.windows.net/other/' };
        const { signingKey } = under.emulator.state;
        if (signingKey === undefined) throw new Error('no key');
        return new SignJWT(claims).setProtectedHeader({ alg: 'RS256' }).sign(signingKey);
      },
      ...[401, /^InvalidSignature: /],
    ],
    ['that is none', () => Promise.resolve('eyJ.x.y'), 401, /^MalformedToken: /],
    ['of nobody with a role', (under: EntraUnderTest) => otherToken(under), 403, /^Authorization failed/],
  ] as const satisfies readonly (readonly [
    string,
    (under: EntraUnderTest) => Promise<string>,
    number,
    RegExp,
  ])[]) {
    it(`are refused: one ${what}`, async () => {
      const under = await startEntra(withRoles());
      const token = await make(under);
      for (const action of ['listen', 'connect'] as const) {
        const refused = await statusOf(under, action, { token });
        equal(refused.status, status);
        match(refused.reason, reason);
      }
    });
  }

  it('renew a control channel, and one without the role ends it', async () => {
    const under = await startEntra(withRoles('Azure Relay Sender'));
    const { clock, emulator, relay, events } = under;
    const listener = await TestListener.open(relay, { token: await under.accessToken(RELAY) });
    const renew = (token: string) => listener.webSocket.send(JSON.stringify({ renewToken: { token } }));
    clock.advance(HOUR_MS);
    renew(await under.accessToken(RELAY));
    listener.webSocket.ping();
    await once(listener.webSocket, 'pong');
    clock.advance(HOUR_MS + GRACE_MS - 1);
    equal(emulator.listenerCount('one'), 1);
    deepEqual(
      events.map(({ event }) => event).filter((event) => event !== 'listener-online'),
      ['token-renewed'],
    );
    const closed = closeOf(listener.webSocket);
    renew(await otherToken(under));
    const { code, reason } = await closed;
    equal(code, 1008);
    match(reason, /^Authorization failed/);
  });

  it('lose their power with the role, at the next question', async () => {
    const under = await startEntra(withRoles('Azure Relay Listener'));
    const token = await otherToken(under);
    equal((await statusOf(under, 'listen', { token })).status, 101);
    under.emulator.state.roleAssignments.pop();
    equal((await statusOf(under, 'listen', { token })).status, 403);
  });

  it('are judged by a clock that a fault has moved', async () => {
    const under = await startEntra();
    const token = await under.accessToken(RELAY);
    under.emulator.faults.clockOffsetMs = HOUR_MS;
    match((await statusOf(under, 'listen', { token })).reason, /^ExpiredToken/);
  });
});
