// The environment of aztunnel, as its guides have it.
import assert from 'node:assert/strict';
import { managerSectionData } from '../../../../../src/lib/config/hcm-yaml/write-manager.ts';
import {
  aztunnelVariables,
  importAztunnel,
  readAztunnelFile,
  type AztunnelOptions,
} from '../../../../../src/lib/services/import/import-aztunnel.ts';
import { HcmError } from '../../../../../src/protocol/errors.ts';

const KEY = 'c2VjcmV0LXNlY3JldC1zZWNyZXQ=';
const FILE = `# aztunnel
AZTUNNEL_RELAY_NAME=my-relay
export AZTUNNEL_HYCO_NAME="my-tunnel"
AZTUNNEL_KEY_NAME=listen-policy   # the rule
  AZTUNNEL_KEY='${KEY}'
OTHER=1
`;

const how = (more: Partial<AztunnelOptions> = {}): AztunnelOptions => ({
  file: 'env',
  accessOf: ({ name }) => ({ kind: 'variable', name: name.toUpperCase(), text: '' }),
  ...more,
});
const importFile = (text: string, more?: Partial<AztunnelOptions>) =>
  importAztunnel(readAztunnelFile(text), how(more));
const section = (text: string, more?: Partial<AztunnelOptions>) =>
  managerSectionData(importFile(text, more).manager).manager;
const warnings = (imported: ReturnType<typeof importFile>) =>
  imported.warnings.map(({ at, key, message }) => `${at?.line ?? '-'} ${key}: ${message}`);

describe('the environment of aztunnel', () => {
  it('is a listener that leads to one target', () => {
    assert.deepEqual(section(FILE, { target: 'db:5432' }), {
      listeners: [{ connection: 'my-relay/my-tunnel', connectionString: '${MY-TUNNEL}', target: 'db:5432' }],
    });
    const { secrets } = importFile(FILE);
    assert.deepEqual(
      secrets.map(({ connectionString }) => connectionString),
      [
        `Endpoint=sb://my-relay.servicebus.windows.net/;SharedAccessKeyName=listen-policy;SharedAccessKey=${KEY};EntityPath=my-tunnel`,
      ],
    );
  });

  it('is a forward with --bind, and both with --bind and --target', () => {
    const forward = {
      connection: 'my-relay/my-tunnel',
      connectionString: '${MY-TUNNEL}',
      bind: '127.0.0.1:5432',
    };
    assert.deepEqual(section(FILE, { bind: '127.0.0.1:5432' }), { forwards: [forward] });
    const both = section(FILE, { bind: '5432', target: 'db:1' }) as Record<string, unknown[]>;
    assert.deepEqual([both['listeners']?.length, both['forwards']?.length], [1, 1]);
  });

  it('uses Entra ID without a key, and says so when half of one is there', () => {
    const without = FILE.replace(/^.*AZTUNNEL_KEY=.*$/m, '');
    const imported = importFile(without, { target: 'db:1' });
    assert.deepEqual([imported.manager.listeners[0]?.access, imported.secrets], [{ kind: 'entra' }, []]);
    assert.match(warnings(imported)[0] ?? '', /^4 AZTUNNEL_KEY_NAME: stands without AZTUNNEL_KEY: left out/);
  });

  it('warns of its own dialect, of targets, and of what has no counterpart', () => {
    const told = warnings(importFile(`${FILE}AZTUNNEL_METRICS_ADDR=:9090\nAZTUNNEL_MUX_SESSIONS=2\n`));
    assert.match(told[0] ?? '', /^7 AZTUNNEL_METRICS_ADDR: left out: the manager has its metrics/);
    assert.match(told[1] ?? '', /^8 AZTUNNEL_MUX_SESSIONS: left out: hcm has no use for it/);
    assert.match(told[2] ?? '', /^3 AZTUNNEL_HYCO_NAME: aztunnel has a dialect of its own: both ends/);
    assert.match(told[3] ?? '', /wherever its senders ask.*--target HOST:PORT/);
    assert.equal(told.length, 4);
  });

  it('names a relay by a word, a host, or an address', () => {
    for (const [relay, connection] of [
      ['my-relay', 'my-relay/my-tunnel'],
      ['my-relay.servicebus.windows.net', 'my-relay/my-tunnel'],
      ['sb://my-relay.servicebus.chinacloudapi.cn/', 'my-relay.servicebus.chinacloudapi.cn/my-tunnel'],
      ['wss://localhost:8080', 'localhost:8080/my-tunnel'],
    ]) {
      const { manager } = importFile(FILE.replace('=my-relay', `=${relay}`));
      assert.equal(manager.listeners[0]?.connection, connection);
    }
  });

  it('comes from the process as well, flags in the place of variables', () => {
    const env = { AZTUNNEL_KEY_NAME: 'a', AZTUNNEL_KEY: KEY, AZTUNNEL_HYCO_NAME: '', PATH: '/bin' };
    const imported = importAztunnel(
      aztunnelVariables(env),
      how({ namespace: 'ns', name: 'hc', target: 'a:1' }),
    );
    assert.equal(imported.manager.listeners[0]?.connection, 'ns/hc');
    assert.equal(warnings(imported)[0]?.startsWith('- AZTUNNEL_HYCO_NAME'), true);
  });

  const REFUSED: [what: string, text: string, says: RegExp][] = [
    ['nothing', '', /AZTUNNEL_RELAY_NAME: it is not set[^]*AZTUNNEL_HYCO_NAME: it is not set/],
    ['a relay without TLS', FILE.replace('=my-relay', '=ws://localhost:8080'), /env:2:1: .*TLS alone/],
    ['a name that is none', FILE.replace('my-tunnel', 'a b'), /env:3:8: .*cannot name a hybrid connection/],
    ['a relay that is none', FILE.replace('=my-relay', '=a b'), /AZTUNNEL_KEY: |AZTUNNEL_RELAY_NAME: /],
  ];
  for (const [what, text, says] of REFUSED) {
    it(`${what} is refused, without the key`, () => {
      assert.throws(
        () => importFile(text),
        (error) =>
          error instanceof HcmError &&
          error.code === 'HCM_CONFIG_INVALID' &&
          says.test(error.message) &&
          !error.message.includes(KEY),
      );
    });
  }
});
