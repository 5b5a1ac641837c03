import assert from 'node:assert/strict';
import { readStoreState, storeData, type StoreState } from '../../../src/manager/store-file.ts';

const PATH = '/state/connections.json';
const ENTRY = {
  role: 'listener',
  connection: 'my-relay/db',
  addedAt: '2026-01-01T00:00:00.000Z',
  entry: { target: 'db:5432' },
};

function read(document: object): ReturnType<typeof readStoreState> {
  return readStoreState({ version: 1, connections: [], ...document }, PATH);
}

describe("what stands in the store's file", () => {
  it('is read as it was written', () => {
    const state: StoreState = {
      connections: [
        { ...ENTRY, role: 'listener', host: 'my-relay.servicebus.windows.net', pinnedTarget: 'db:5432' },
        { ...ENTRY, role: 'forward' },
      ],
      places: new Map([
        ['listener my-relay/db', 'keychain'],
        ['forward my-relay/db', 'file'],
      ]),
      leftovers: [{ place: 'file', name: 'listener my-relay/db' }],
      keychainId: 'a1b2c3d4',
    };
    const text = JSON.stringify(storeData(state));
    assert.deepEqual(readStoreState(JSON.parse(text), PATH), { state, leftOut: 0 });
  });

  for (const [what, wrong] of [
    ['text', 'db'],
    ['list', []],
    ['unknown role', { ...ENTRY, role: 'sender' }],
    ['connection without a name', { ...ENTRY, connection: 7 }],
    ['time that is none', { ...ENTRY, addedAt: 7 }],
    ['missing entry', { ...ENTRY, entry: undefined }],
    ['entry that is a list', { ...ENTRY, entry: [] }],
    ['host that is no text', { ...ENTRY, host: 7 }],
    ['confirmed target that is none', { ...ENTRY, pinnedTarget: 'nowhere' }],
    ['confirmed target that is no text', { ...ENTRY, pinnedTarget: 7 }],
  ] as const) {
    it(`is left out where it is of no use, and counted: ${what}`, () => {
      const web = { ...ENTRY, connection: 'my-relay/web' };
      const { state, leftOut } = read({ connections: [wrong, web] });
      assert.deepEqual([state.connections, leftOut], [[web], 1]);
    });
  }

  it('is one connection of a name, whatever its case: the first', () => {
    const again = { ...ENTRY, connection: 'My-Relay/DB' };
    const forward = { ...ENTRY, role: 'forward' };
    const { state, leftOut } = read({ connections: [ENTRY, again, forward] });
    assert.deepEqual([state.connections, leftOut], [[ENTRY, forward], 1]);
  });

  it('names places of keys that there are, and no others', () => {
    const keys = { one: 'file', two: 'keychain', three: 'drawer', four: 7 };
    const leftovers = [{ place: 'file', name: 'x' }, { place: 'drawer', name: 'y' }, { place: 'file' }, null];
    const { state } = read({ keys, leftovers, keychain: 7 });
    assert.deepEqual(Object.fromEntries(state.places), { one: 'file', two: 'keychain' });
    assert.deepEqual(state.leftovers, [{ place: 'file', name: 'x' }]);
    assert.equal(state.keychainId, undefined);
    assert.equal(read({ keys: ['file'], leftovers: 'x' }).state.leftovers.length, 0);
  });

  it('is damaged as a whole, or of a newer version, or not there', () => {
    for (const document of [
      null,
      'x',
      [],
      { version: 1 },
      { version: 0, connections: [] },
      { connections: [] },
    ])
      assert.throws(() => readStoreState(document, PATH), {
        code: 'HCM_STATE_CORRUPT',
        message: /no list of conn/,
      });
    assert.throws(
      () => read({ version: 2 }),
      (error: { message: string; details: object }) => {
        assert.match(error.message, /newer version of hcm \(2\)/);
        assert.deepEqual(error.details, {
          ...{ file: PATH, newer: true, next: 'Install that version of hcm again' },
        });
        return true;
      },
    );
    assert.deepEqual(readStoreState(undefined, PATH).state.connections, []);
  });
});
