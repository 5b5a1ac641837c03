// `hcm token` as scripts use it: with connection strings, with keys from the emulator's Azure, with Entra ID; its tokens
// are shown to the relay by hand.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { RelayHome } from './relay-home.ts';

const HOST = 'ns1.servicebus.windows.net';
const KEY = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0ISE=';
const STRING = `Endpoint=sb://${HOST}/;SharedAccessKeyName=send;SharedAccessKey=${KEY};EntityPath=web`;
const READY = `Endpoint=sb://${HOST}/;SharedAccessSignature=SharedAccessSignature sr=http%3a%2f%2f${HOST}%2fweb&sig=c2ln&se=4102444800&skn=r;EntityPath=web`;

describe('hcm token', () => {
  const home = new RelayHome();
  before(() => home.startEmulator('web', 'other'));
  after(() => home.remove());

  const withString = (args: string[], string = STRING) =>
    home.run(['token', ...args], { env: { HCM_CONNECTION_STRING: string } });

  /** The status with which the relay answers a request for an entity without a listener: 404 when the token is good. */
  const shown = (header: string, path = 'web'): Promise<number> => {
    const { endpoint, caFile } = home.ready as unknown as { endpoint: string; caFile: string };
    const { host, port } = new URL(endpoint.replace('sb:', 'https:'));
    const at = header.indexOf(': ');
    const headers = { [header.slice(0, at)]: header.slice(at + 2) };
    return new Promise((resolve, reject) => {
      const asked = request({
        ...{
          host: host.split(':')[0],
          port,
          path: `/${path}`,
          headers,
          ca: readFileSync(caFile),
          agent: false,
        },
      });
      asked.once('error', reject).once('response', (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      asked.end();
    });
  };

  it('prints the token and nothing else, signed as by hand', async () => {
    const before = Math.floor(Date.now() / 1000);
    const { status, stdout, stderr } = await withString([]);
    assert.deepEqual([status, stderr], [0, '']);
    const [, sr = '', sig = '', se = ''] =
      /^SharedAccessSignature sr=([^&]+)&sig=([^&]+)&se=(\d+)&skn=send\n$/.exec(stdout) ??
      assert.fail(stdout);
    assert.equal(decodeURIComponent(sr), `http://${HOST}/web/`);
    assert.equal(decodeURIComponent(sig), createHmac('sha256', KEY).update(`${sr}\n${se}`).digest('base64'));
    assert.ok(Number(se) >= before + 3600 && Number(se) <= before + 3700);
  });

  it('comes from a file, from stdin, and for a connection of a namespace', async () => {
    writeFileSync(home.path('token.txt'), STRING.replace(';EntityPath=web', ''), { mode: 0o600 });
    const fromFile = await home.run(['token', 'a/b', '--connection-string-file', 'token.txt', '--json']);
    assert.equal((JSON.parse(fromFile.stdout) as { audience: string }).audience, `http://${HOST}/a/b/`);
    const fromStdin = await home.run(['token', '-', '--json'], { stdin: STRING });
    const facts = JSON.parse(fromStdin.stdout) as Record<string, string>;
    assert.deepEqual(Object.keys(facts), [
      ...['token', 'kind', 'expiresAt', 'audience', 'rule', 'connection', 'header', 'url'],
    ]);
    assert.deepEqual([facts['kind'], facts['url']], ['sas', `https://${HOST}/web`]);
  });

  it('opens its hybrid connection at the relay for its right, and no other', async () => {
    const line = async (...args: string[]) =>
      (
        await home.run(['token', ...args, '--header', '--connection-string-file'].concat('web-send.txt'))
      ).stdout.trim();
    const good = await line();
    assert.equal(await shown(good), 404);
    assert.equal(await shown(good, 'other'), 401);
    assert.equal(await shown(`ServiceBusAuthorization: x`), 401);
    const listen = await home.run(['token', '--header', '--connection-string-file', 'web-listen.txt']);
    assert.equal(await shown(listen.stdout.trim()), 403);
  });

  it('comes with a key of Azure, or from Entra ID, for NAMESPACE/NAME', async () => {
    const { clientId, clientSecret, tenantId, arm, caFile } = home.ready as unknown as Record<string, string>;
    const added = await home.run([
      'cloud',
      'add',
      'here',
      '--endpoint',
      arm ?? '',
      '--ca-file',
      caFile ?? '',
    ]);
    assert.equal(added.status, 0, added.stderr);
    const env = { AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: clientSecret, AZURE_TENANT_ID: tenantId };
    const ask = (...args: string[]) =>
      home.run(['token', 'local-relay/web', '--cloud', 'here', '--auth', 'env', ...args], { env });
    for (const [right, rule, url] of [
      ['send', 'defaultSender', /^https:/],
      ['listen', 'defaultListener', /^wss:.*sb-hc-action=listen$/],
    ] as const) {
      const { stdout, stderr } = await ask('--right', right, '--json');
      assert.equal(stderr, '');
      const facts = JSON.parse(stdout) as Record<string, string>;
      assert.equal(facts['rule'], rule);
      assert.match(facts['url'] ?? '', url);
    }
    const entra = JSON.parse((await ask('--entra', '--json')).stdout) as Record<string, string>;
    assert.equal(entra['kind'], 'entra');
    assert.match(entra['audience'] ?? '', /^https:\/\/relay\.azure\.net/);
    assert.match(entra['token'] ?? '', /^eyJ/);
    assert.equal('rule' in entra, false);
  });

  it('warns of a long life on stderr alone', async () => {
    const { status, stdout, stderr } = await withString(['--expires-in', '30d']);
    assert.equal(status, 0);
    assert.match(stdout, /^SharedAccessSignature [^\n]+\n$/);
    assert.match(stderr, /Warning: whoever gets this token has the right for 720h/);
  });

  const cases: [
    name: string,
    args: string[],
    code: string,
    status: number,
    says?: RegExp | undefined,
    string?: string,
  ][] = [
    ['no connection', [], 'HCM_USAGE', 2, /No connection is named/, ''],
    ['a name without namespace', ['web'], 'HCM_CONNECTION_INVALID', 2, undefined, ''],
    ['a name that disagrees', ['other'], 'HCM_CONNECTION_INVALID', 2],
    ['a life of no time', ['--expires-in', '0'], 'HCM_USAGE', 2, /1 minute at least/],
    ['a life below a minute', ['--expires-in', '59s'], 'HCM_USAGE', 2],
    ['a life above a year', ['--expires-in', '366d'], 'HCM_USAGE', 2, /365 days/],
    ['a life without a unit', ['--expires-in', '60'], 'HCM_USAGE', 2],
    ['a life for Entra ID', ['ns/web', '--entra', '--expires-in', '1h'], 'HCM_USAGE', 2, /--entra/],
    ['a right that there is not', ['--right', 'manage'], 'HCM_USAGE', 2],
    ['a header in JSON', ['--header', '--json'], 'HCM_USAGE', 2],
    ['a ready signature', [], 'HCM_USAGE', 2, /good until 2100-01-01T00:00:00\.000Z/, READY],
    ['no credentials', [], 'HCM_TOKEN_MISSING', 3, /anonymous/, `Endpoint=sb://${HOST}/;EntityPath=web`],
    ['a string that is none', [], 'HCM_CONNECTION_STRING_INVALID', 2, undefined, 'Endpoint=x'],
    ['a string on the command line', [STRING], 'HCM_USAGE', 2, /does not belong on the command line/],
    ['-- COMMAND', ['--', 'ls'], 'HCM_USAGE', 2],
  ];
  for (const [name, args, code, status, says, string = STRING] of cases) {
    it(`refuses ${name}`, async () => {
      const ended = await withString(args, string);
      assert.deepEqual([ended.status, ended.stdout], [status, args.includes('--json') ? ended.stdout : '']);
      assert.match(ended.stderr + ended.stdout, new RegExp(`\\b${code}\\b`));
      if (says) assert.match(ended.stderr, says);
      for (const secret of [KEY, 'c2ln']) assert.ok(!(ended.stdout + ended.stderr).includes(secret));
    });
  }
});
