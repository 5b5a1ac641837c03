/** Which entity a host and a path mean, and which of its listeners is chosen. */
import { deepEqual, equal } from 'node:assert/strict';
import { Registry } from '../../../src/emulator/relay/registry.ts';
import { createState, putConnection, type EmulatorState } from '../../../src/emulator/state.ts';

const OWN = 'local-relay.servicebus.localhost';

function stateWith(...names: string[]): EmulatorState {
  const state = createState();
  for (const name of names) putConnection(state.namespaces[0]!, { name }, 0);
  return state;
}
const addNamespace = (state: EmulatorState, name: string, ...connections: string[]) => {
  state.namespaces.push({ ...stateWith(...connections).namespaces[0]!, name });
};
const registryOf = (state: EmulatorState, random = () => 0) => new Registry<{ id: string }>(state, random);

describe('Registry', () => {
  it('finds the longest name that begins the path, by whole segments and without case', () => {
    const registry = registryOf(stateWith('a', 'a/b', 'ab'));
    const found = (path: string) => {
      const { entity, suffix } = registry.resolve('localhost', path);
      return entity && [entity.name, suffix];
    };
    deepEqual(found('A/B/c'), ['a/b', '/c']);
    deepEqual(found('a/bc'), ['a', '/bc']);
    deepEqual(found('ab'), ['ab', '']);
    equal(found('abc'), undefined);
  });

  it('gives the same entity each time, so that listeners are found again', () => {
    const registry = registryOf(stateWith('a'));
    const { entity } = registry.resolve('localhost', 'a');
    entity?.listeners.push({ id: 'x' });
    equal(registry.resolve(OWN, 'A/more').entity, entity);
    deepEqual(registry.find('A'), [entity]);
  });

  it('sees connections that are added to the state, and not those that are gone from it', () => {
    const state = stateWith();
    const registry = registryOf(state);
    equal(registry.resolve('localhost', 'new').entity, undefined);
    const connection = putConnection(state.namespaces[0]!, { name: 'new' }, 0);
    const { entity } = registry.resolve('localhost', 'new');
    equal(entity?.connection, connection);
    state.namespaces[0]!.connections.length = 0;
    equal(registry.resolve('localhost', 'new').entity, undefined);
    equal(registry.forget(connection), entity);
    deepEqual(registry.find('new'), []);
  });

  it('keeps namespaces apart by their hosts', () => {
    const state = stateWith('both', 'first');
    addNamespace(state, 'second-ns', 'both', 'only');
    const registry = registryOf(state);
    const owner = (host: string, path: string) => {
      const { entity, namespaces } = registry.resolve(host, path);
      return entity ? entity.namespace.name : namespaces.length;
    };
    equal(owner('SECOND-NS.servicebus.localhost', 'both'), 'second-ns');
    equal(owner('second-ns.servicebus.localhost', 'first'), 1);
    equal(owner('third-ns.servicebus.localhost', 'both'), 0);
    equal(owner('localhost', 'only'), 'second-ns');
    equal(owner('127.0.0.1', 'first'), 'local-relay');
    equal(owner('localhost', 'both'), 2);
  });

  it('prefers the longer match when namespaces differ', () => {
    const state = stateWith('a');
    addNamespace(state, 'second-ns', 'a/b');
    equal(registryOf(state).resolve('localhost', 'a/b/c').entity?.namespace.name, 'second-ns');
  });

  it('chooses by chance among all listeners', () => {
    let random = 0;
    const registry = registryOf(stateWith('a'), () => random);
    const { entity } = registry.resolve('localhost', 'a');
    equal(registry.choose(entity!), undefined);
    for (const id of ['x', 'y', 'z']) entity!.listeners.push({ id });
    const choices = [0, 0.34, 0.67, 0.999].map((value) => {
      random = value;
      return registry.choose(entity!)?.id;
    });
    deepEqual(choices, ['x', 'y', 'z', 'z']);
  });

  it('keeps to the listeners that a sender wants', () => {
    const registry = registryOf(stateWith('a'));
    const { entity } = registry.resolve('localhost', 'a');
    for (const id of ['X', 'y']) entity!.listeners.push({ id });
    const choose = (allowed: string[], disallowed: string[] = []) =>
      registry.choose(entity!, { allowed, disallowed })?.id;
    equal(choose(['y']), 'y');
    equal(choose([], ['x']), 'y');
    equal(choose(['x'], ['x']), undefined);
    equal(choose(['nobody']), undefined);
  });

  it('forgets a listener that leaves, and only that', () => {
    const { entity } = registryOf(stateWith('a')).resolve('localhost', 'a');
    const [x, y] = [{ id: 'x' }, { id: 'y' }];
    entity!.listeners.push(x, y);
    entity!.leave(x);
    entity!.leave(x);
    deepEqual(entity!.listeners, [y]);
  });
});
