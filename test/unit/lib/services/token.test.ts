import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { Output } from '../../../../src/lib/cli/output.ts';
import { runToken, type TokenRun } from '../../../../src/lib/cli/run-token.ts';
import { mintToken } from '../../../../src/lib/services/token.ts';
import { audienceCovers, parseSasToken, verifySasSignature } from '../../../../src/protocol/sas-token.ts';
import type { Connection } from '../../../../src/tunnel/options.ts';
import { entraTokens, readySasToken, sasKeyTokens } from '../../../../src/tunnel/token-provider.ts';
import { rejectsWith } from '../../../helpers/tunnel.ts';
import { written } from '../../../helpers/written.ts';

const NOW_MS = 1_900_000_000_000 - 3_600_000;
const clock = { nowMs: () => NOW_MS, monotonicMs: () => 0, setTimer: () => () => undefined };
const HOST = 'ns1.servicebus.windows.net';
const KEY = { keyName: 'send', key: 'c2VjcmV0' };
const JWT = ['{"alg":"none"}', '{"aud":"https://relay.azure.net"}', 'x']
  .map((part) => Buffer.from(part).toString('base64url'))
  .join('.');

const connection = (over: Partial<Connection> = {}): Connection => ({
  ...{ endpoint: { host: HOST, port: 443 }, path: 'team/web', tokens: sasKeyTokens(KEY, clock) },
  ...over,
});
const ready = `SharedAccessSignature sr=http%3a%2f%2f${HOST}%2f&sig=c2ln&se=4102444800&skn=r`;

describe('a token for other programs', () => {
  it('is the one that a hand with a pencil would sign', async () => {
    const { text, ...facts } = await mintToken(connection(), { right: 'Send' });
    const sr = 'http%3A%2F%2Fns1.servicebus.windows.net%2Fteam%2Fweb%2F';
    const sig = createHmac('sha256', 'c2VjcmV0').update(`${sr}\n1900000000`).digest('base64');
    assert.equal(
      text,
      `SharedAccessSignature sr=${sr}&sig=${encodeURIComponent(sig)}&se=1900000000&skn=send`,
    );
    assert.deepEqual(facts, {
      kind: 'sas',
      expiresAtMs: 1_900_000_000_000,
      audience: `http://${HOST}/team/web/`,
      rule: 'send',
      connection: `${HOST}/team/web`,
      url: `https://${HOST}/team/web`,
    });
  });

  it('is taken by the verifier, for this hybrid connection and no other', async () => {
    const token = parseSasToken((await mintToken(connection(), { right: 'Send' })).text);
    assert.equal(verifySasSignature(token, KEY.key), true);
    assert.equal(verifySasSignature(token, 'c2VjcmV1'), false);
    assert.equal(audienceCovers(token.resource, [HOST], 'team/web/page'), true);
    assert.equal(audienceCovers(token.resource, [HOST], 'team/webs'), false);
    assert.equal(audienceCovers(token.resource, ['ns2.servicebus.windows.net'], 'team/web'), false);
  });

  it('lives as long as it was asked for, from a minute to a year', async () => {
    const day = 24 * 3_600_000;
    for (const lifetimeMs of [60_000, 90_500, day, 365 * day]) {
      const { expiresAtMs, text } = await mintToken(connection(), { right: 'Send', lifetimeMs });
      assert.equal(expiresAtMs, Math.floor((NOW_MS + lifetimeMs) / 1000) * 1000);
      assert.equal(parseSasToken(text).expiresAtMs, expiresAtMs);
    }
    for (const lifetimeMs of [0, 59_999, 365 * day + 1, -1]) {
      await rejectsWith(mintToken(connection(), { right: 'Send', lifetimeMs }), 'HCM_USAGE');
    }
  });

  it('to listen, and at another port, says where it is to be shown', async () => {
    const local = connection({ endpoint: { host: 'localhost', port: 5671 }, path: 'web' });
    assert.equal(
      (await mintToken(local, { right: 'Listen' })).url,
      'wss://localhost:5671/$hc/web?sb-hc-action=listen',
    );
    const { url, audience } = await mintToken(local, { right: 'Send' });
    assert.deepEqual([url, audience], ['https://localhost:5671/web', 'http://localhost/web/']);
  });

  it('of Entra ID comes as it is, with the audience that it names', async () => {
    const tokens = entraTokens(() => Promise.resolve({ text: JWT, expiresAtMs: 5 }));
    const token = await mintToken(connection({ tokens }), { right: 'Send' });
    assert.deepEqual(
      [token.text, token.kind, token.audience, token.expiresAtMs, 'rule' in token],
      [JWT, 'entra', 'https://relay.azure.net', 5, false],
    );
    const opaque = entraTokens(() => Promise.resolve({ text: 'opaque', expiresAtMs: 5 }));
    assert.equal((await mintToken(connection({ tokens: opaque }), { right: 'Send' })).audience, undefined);
  });

  it('cannot be made without a key: the ready signature is told with its end, and not shown', async () => {
    const tokens = readySasToken(ready);
    const error = await rejectsWith(mintToken(connection({ tokens }), { right: 'Send' }), 'HCM_USAGE');
    assert.match(error.message, /is good until 2100-01-01T00:00:00\.000Z/);
    assert.doesNotMatch(error.message, /c2ln/);
    const over = readySasToken(ready.replace('4102444800', '1000'));
    const late = await rejectsWith(mintToken(connection({ tokens: over }), { right: 'Send' }), 'HCM_USAGE');
    assert.match(late.message, /was good until 1970/);
    await rejectsWith(mintToken(connection({ tokens: undefined }), { right: 'Send' }), 'HCM_TOKEN_MISSING');
  });
});

describe('hcm token', () => {
  const run = async (over: Partial<TokenRun> = {}) => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const output = new Output({ stdout, stderr, env: {} });
    await runToken({
      ...{ connections: [connection()], right: 'Send', lifetimeMs: undefined, asHeader: false, json: false },
      ...{ isWatched: false, argv: ['ns1/team/web'], output },
      ...over,
    });
    return { stdout: written(stdout), stderr: written(stderr) };
  };

  it('prints the token alone', async () => {
    const { stdout, stderr } = await run();
    assert.match(stdout, /^SharedAccessSignature sr=\S+&sig=[\w%]+&se=1900000000&skn=send\n$/);
    assert.equal(stderr, '');
  });

  it('prints the line of a header', async () => {
    assert.match(
      (await run({ asHeader: true })).stdout,
      /^ServiceBusAuthorization: SharedAccessSignature sr=/,
    );
  });

  it('prints one JSON document, with all that a script needs', async () => {
    const { stdout } = await run({ json: true });
    const { token, ...rest } = JSON.parse(stdout) as Record<string, string>;
    assert.match(token ?? '', /^SharedAccessSignature sr=.*&sig=(?!\*)/);
    assert.deepEqual(rest, {
      kind: 'sas',
      expiresAt: '2030-03-17T17:46:40.000Z',
      audience: `http://${HOST}/team/web/`,
      rule: 'send',
      connection: `${HOST}/team/web`,
      header: 'ServiceBusAuthorization',
      url: `https://${HOST}/team/web`,
    });
  });

  it('tells whoever watches how to use it, so that the token stands on no command line', async () => {
    const { stderr } = await run({ isWatched: true, argv: ["it's/web", '--expires-in', '2h'] });
    assert.match(stderr, /Good until 2030-03-17T17:46:40\.000Z/);
    assert.match(
      stderr,
      /hcm token 'it'\\''s\/web' --expires-in 2h --header \| curl -H @- https:\/\/ns1\.servicebus\.windows\.net\/team\/web\n/,
    );
    assert.doesNotMatch(stderr, /sig=/);
  });

  it('warns of a token that is good for long, and that the life of an Entra token is not its own', async () => {
    assert.match((await run({ lifetimeMs: 48 * 3_600_000 })).stderr, /Warning: .*48h\b/);
    assert.equal((await run({ lifetimeMs: 24 * 3_600_000 })).stderr, '');
    const tokens = entraTokens(() => Promise.resolve({ text: JWT, expiresAtMs: 5 }));
    const entra = await run({ connections: [connection({ tokens })], lifetimeMs: 60_000 });
    assert.match(entra.stderr, /up to Entra ID: it is good until 1970/);
  });

  it('is for one hybrid connection', async () => {
    await rejectsWith(run({ connections: [connection(), connection()] }), 'HCM_USAGE');
  });
});
