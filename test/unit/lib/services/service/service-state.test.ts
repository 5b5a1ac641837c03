import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { worthKeeping } from '../../../../../src/lib/services/service/service-state.ts';

describe('what a service leaves in its folder', () => {
  let folder: string;
  const put = (name: string, text: string) => writeFileSync(join(folder, 'manager', name), text);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hcm-state-'));
    mkdirSync(join(folder, 'manager'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is nothing when it made all of it by itself', async () => {
    assert.equal(await worthKeeping(join(folder, 'absent')), undefined);
    put('manager.log', 'a line\n');
    put('manager.log.1', 'a line\n');
    put('connections.json', '{"version":2,"connections":[],"keys":{},"keychain":"abcd"}');
    put('secrets.json', '{}');
    assert.equal(await worthKeeping(folder), undefined);
  });

  for (const [what, name, text] of [
    ['a connection', 'connections.json', '{"version":2,"connections":[{"connection":"a/b"}],"keys":{}}'],
    ['a key', 'secrets.json', '{"listen a/b":"Endpoint=…"}'],
    ['a store that cannot be read', 'connections.json', '{"version":2,"connec'],
    ['a store that was put aside', 'connections.json.corrupt-1', ''],
    ['a file that it does not know', 'identity.pem', 'a key'],
  ] as const) {
    it(`is worth keeping with ${what}`, async () => {
      put(name, text);
      assert.equal(await worthKeeping(folder), join(folder, 'manager', name));
    });
  }
});
