// From what a file and the store say to what runs: who is who.
import assert from 'node:assert/strict';
import { parseManagerSection } from '../../../src/lib/config/hcm-yaml/load.ts';
import { specsOf, type SpecSource } from '../../../src/manager/specs.ts';

async function read(source: SpecSource['source'], manager: object): Promise<SpecSource> {
  const text = JSON.stringify({ manager });
  return { source, manager: await parseManagerSection(text, { file: 'hcm.yaml', env: {}, folder: '/' }) };
}

const forward = (bind: string) => ({ connection: 'my-relay/sql', bind });

describe('what the manager runs', () => {
  const ids = (specs: ReturnType<typeof specsOf>) => specs.map(({ id }) => id);

  it('counts the local ports of one connection', async () => {
    const file = await read('file', { forwards: [forward('1'), forward('2'), forward('3')] });
    assert.deepEqual(ids(specsOf([file])), [
      'forward my-relay/sql',
      'forward my-relay/sql 2',
      'forward my-relay/sql 3',
    ]);
  });

  it('leaves a local port its id when one before it is taken out, or moved', async () => {
    const all = specsOf([await read('file', { forwards: [forward('1'), forward('2'), forward('3')] })]);
    const fewer = specsOf([await read('file', { forwards: [forward('3'), forward('2')] })], all);
    assert.deepEqual(ids(fewer), ['forward my-relay/sql 3', 'forward my-relay/sql 2']);
    const more = specsOf(
      [await read('file', { forwards: [forward('4'), forward('3'), forward('2')] })],
      fewer,
    );
    assert.deepEqual(ids(more), ['forward my-relay/sql', 'forward my-relay/sql 3', 'forward my-relay/sql 2']);
  });

  it('takes the file where the store names the same connection, also by its host', async () => {
    const file = await read('file', { listeners: [{ connection: 'my-relay/db', target: 'a:1' }] });
    const listeners = [
      { connection: 'My-Relay.servicebus.windows.net/DB', target: 'b:1' },
      { connection: 'other/db', target: 'b:1' },
    ];
    const specs = specsOf([file, await read('store', { listeners })]);
    assert.deepEqual(
      specs.map(({ id, source }) => [id, source]),
      [
        ['listen my-relay/db', 'file'],
        ['listen other/db', 'store'],
      ],
    );
  });

  it('opens anew what is checked otherwise', async () => {
    const entry = { connection: 'my-relay/db', target: 'a:1' };
    const [one] = specsOf([await read('file', { listeners: [entry] })]);
    const [two] = specsOf([await read('file', { listeners: [{ ...entry, healthCheck: 'tcp' }] })]);
    assert.notEqual(one?.fingerprint, two?.fingerprint);
  });
});
