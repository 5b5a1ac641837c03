import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { parseManagerSection } from '../../../src/lib/config/hcm-yaml/load.ts';
import type { ManagerDeclaration } from '../../../src/lib/config/hcm-yaml/manager-declaration.ts';
import { ManagerProblems } from '../../../src/manager/manager-problems.ts';
import { fileSecrets } from '../../../src/manager/secrets.ts';
import { ConnectionStore } from '../../../src/manager/store.ts';
import { WantedConnections } from '../../../src/manager/wanted-connections.ts';

const folder = tmpdir();

function declared(name: string): Promise<ManagerDeclaration> {
  const text = `manager: {listeners: [{connection: my-relay/${name}, target: "a:1"}]}`;
  return parseManagerSection(text, { file: 'hcm.yaml', env: {}, folder });
}

describe('what the manager should run', () => {
  it('is what the file had last, however long an earlier reading takes', async () => {
    let endFirst: (text: string) => void = () => undefined;
    const first = new Promise<string>((resolve) => (endFirst = resolve)).then(declared);
    const readings = [first, declared('new')];
    const store = await ConnectionStore.open({ folder, secrets: fileSecrets(folder) });
    const load = () => readings.shift() ?? Promise.reject(new Error('read too often'));
    const file = { path: 'hcm.yaml', load };
    const wanted = new WantedConnections({ folder, store, file }, new ManagerProblems(() => undefined));
    const both = [wanted.readFile(), wanted.readFile()];
    // As long as it takes for the second to be over, if it waits for nothing.
    await declared('other');
    endFirst('old');
    await Promise.all(both);
    assert.deepEqual(
      wanted.specs([]).map(({ connection }) => connection),
      ['my-relay/new'],
    );
  });
});
