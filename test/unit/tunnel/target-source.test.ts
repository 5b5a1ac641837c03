import assert from 'node:assert/strict';
import { allows, parseAllowRule } from '../../../src/protocol/allow-list.ts';
import { HcmError } from '../../../src/protocol/errors.ts';
import { TargetSource } from '../../../src/tunnel/target-source.ts';

function described(endpoint: string) {
  const userMetadata = JSON.stringify([{ key: 'endpoint', value: endpoint }]);
  return { requiresClientAuthorization: true, listenerCount: 0, userMetadata };
}

function mayDial(source: TargetSource, address: string): boolean {
  const { address: target, allow } = source;
  assert.ok(target?.kind === 'tcp');
  return allow === undefined || allows(allow, { ...target, address });
}

describe('target source', () => {
  it('uses the target it was given and asks for no metadata', () => {
    const source = new TargetSource({ kind: 'tcp', host: 'db', port: 5432 }, undefined);
    assert.equal(source.needsMetadata, false);
    assert.deepEqual(source.address, { kind: 'tcp', host: 'db', port: 5432 });
    assert.equal(source.allow, undefined);
  });

  it('checks even the given target against an allow-list', () => {
    const source = new TargetSource({ kind: 'tcp', host: 'db', port: 5432 }, [
      parseAllowRule('10.0.0.0/8:5432'),
    ]);
    assert.equal(mayDial(source, '10.1.2.3'), true);
    assert.equal(mayDial(source, '192.168.0.1'), false);
  });

  it('uses a socket, and any other address it was given', () => {
    const address = { kind: 'unix', path: '/run/app.sock' } as const;
    const source = new TargetSource(address, undefined);
    assert.equal(source.needsMetadata, false);
    assert.deepEqual(source.address, address);
  });

  it('refuses a UDP address, which no raw stream can reach', () => {
    assert.throws(
      () => new TargetSource({ kind: 'udp', host: 'dns', port: 53 }, undefined),
      (error: unknown) => error instanceof HcmError && error.code === 'HCM_TARGET_INVALID',
    );
  });

  it('has no target before the metadata was read', () => {
    const source = new TargetSource(undefined, undefined);
    assert.equal(source.needsMetadata, true);
    assert.equal(source.address, undefined);
  });

  it('takes the target from the metadata and permits it', () => {
    const source = new TargetSource(undefined, undefined);
    source.learn(described('db.corp:5432'), 'ns/hyco');
    assert.deepEqual(source.address, { kind: 'tcp', host: 'db.corp', port: 5432 });
    assert.equal(mayDial(source, '10.0.0.7'), true);
  });

  it('does not let changed metadata open another host or another port', () => {
    const source = new TargetSource(undefined, undefined);
    source.learn(described('db.corp:5432'), 'ns/hyco');
    for (const changed of ['vault.corp:5432', 'db.corp:22', '10.0.0.7:5432', '[::1]:5432']) {
      source.learn(described(changed), 'ns/hyco');
      assert.equal(mayDial(source, '10.0.0.7'), false, changed);
    }
    source.learn(described('DB.corp.:5432'), 'ns/hyco');
    assert.equal(mayDial(source, '10.0.0.7'), true, 'the same target again');
  });

  it('pins an address from the metadata just as well', () => {
    const source = new TargetSource(undefined, undefined);
    source.learn(described('[fd00::7]:5432'), 'ns/hyco');
    assert.equal(mayDial(source, 'fd00::7'), true);
    source.learn(described('[fd00::8]:5432'), 'ns/hyco');
    assert.equal(mayDial(source, 'fd00::8'), false);
  });

  it('pins a host whose name reads like a kind of target', () => {
    const source = new TargetSource(undefined, undefined);
    source.learn(described('unix:5432'), 'ns/hyco');
    assert.equal(mayDial(source, '10.0.0.7'), true);
  });

  it('lets the metadata choose among what the allow-list permits', () => {
    const source = new TargetSource(undefined, [parseAllowRule('*.corp:5432-5433')]);
    source.learn(described('db.corp:5432'), 'ns/hyco');
    source.learn(described('other.corp:5433'), 'ns/hyco');
    assert.equal(mayDial(source, '10.0.0.7'), true);
    source.learn(described('elsewhere.example:5432'), 'ns/hyco');
    assert.equal(mayDial(source, '10.0.0.7'), false);
  });

  it('keeps the last good target when the metadata lose theirs', () => {
    const source = new TargetSource(undefined, undefined);
    source.learn(described('db.corp:5432'), 'ns/hyco');
    const without = { requiresClientAuthorization: true, listenerCount: 0 };
    assert.throws(
      () => source.learn(without, 'ns/hyco'),
      (error: unknown) => error instanceof HcmError && error.code === 'HCM_TARGET_MISSING',
    );
    assert.deepEqual(source.address, { kind: 'tcp', host: 'db.corp', port: 5432 });
  });
});
