// What is shown of a connection that does not run yet.
import assert from 'node:assert/strict';
import { parseManagerSection } from '../../../src/lib/config/hcm-yaml/load.ts';
import { Manager } from '../../../src/manager/manager.ts';
import { specsOf, type SpecSource } from '../../../src/manager/specs.ts';
import { viewOf } from '../../../src/manager/views.ts';
import { parseTarget } from '../../../src/protocol/target.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeTunnels, failure } from '../../helpers/fake-tunnels.ts';

describe('the view of a connection that waits', () => {
  const clock = new FakeClock();
  let tunnels: FakeTunnels;
  let manager: Manager;

  beforeEach(() => {
    tunnels = new FakeTunnels();
    manager = new Manager({
      ...{ clock, random: () => 0, open: tunnels.open, graceMs: 0 },
      listener: { onState: () => undefined, onEvent: () => undefined },
    });
  });
  afterEach(() => manager.stop(0));

  async function waiting(source: SpecSource['source'], section: object, error = failure()) {
    tunnels.failures.push(error);
    const text = JSON.stringify({ manager: section });
    const read = await parseManagerSection(text, { file: 'hcm.yaml', env: {}, folder: '/' });
    manager.follow(specsOf([{ source, manager: read }]));
    await clock.advanceAsync(0);
    const [managed] = manager.connections;
    assert.ok(managed);
    return viewOf(managed);
  }
  const forward = (more: object) => ({ forwards: [{ connection: 'my-relay/sql', ...more }] });

  it('has the port that a forward wants', async () => {
    const { state, binds } = await waiting('store', forward({ bind: '127.0.0.2:1433' }));
    assert.deepEqual([state, binds], ['waiting', ['127.0.0.2:1433']]);
  });

  it('has any port of this machine, where none is declared', async () => {
    assert.deepEqual((await waiting('store', forward({ http: true }))).binds, ['127.0.0.1:0']);
  });

  it('has each logical port, and the address that is bound as soon as there is one', async () => {
    const ports = { dialect: 'azbridge', ports: { sql: '1433', ntp: 'udp:127.0.0.1:123' } };
    const { binds } = await waiting('store', forward(ports));
    assert.deepEqual(binds, ['127.0.0.1:1433', 'udp:127.0.0.1:123']);
    await clock.advanceAsync(60_000);
    const [managed] = manager.connections;
    assert.deepEqual(managed && viewOf(managed).binds, tunnels.last.binds);
  });

  it("of a key that is missing, says what the manager's owner can do", async () => {
    const missing = failure('HCM_TOKEN_MISSING', 'there is no key');
    const listener = { listeners: [{ connection: 'my-relay/db', target: 'db:1' }] };
    const stored = await waiting('store', listener, missing);
    assert.equal(
      stored.reason?.next,
      "hcm add my-relay/db … --connection-string-file FILE; or sign in as the manager's user: hcm login, then hcm restart my-relay/db",
    );
  });

  it('sends whoever has it in a file to that file', async () => {
    const missing = failure('HCM_TOKEN_MISSING', 'there is no key');
    const { reason } = await waiting('file', forward({ bind: '1433' }), missing);
    assert.match(
      reason?.next ?? '',
      /^Write connectionStringFile: FILE into its entry of hcm.yaml; or sign in/,
    );
  });
});

describe('the view of a listener that may not forward where it should', () => {
  const PINNED = 'db:5432';
  const NAMED = 'other:22';

  for (const [what, more, unconfirmed] of [
    ['has the target that can be accepted, where another one was confirmed', {}, NAMED],
    ['has none, where an allow-list has no rule for it', { allow: ['db:5432'] }, undefined],
  ] as const)
    it(what, async () => {
      const tunnels = new FakeTunnels();
      const clock = new FakeClock();
      const manager = new Manager({
        ...{ clock, random: () => 0, open: tunnels.open, graceMs: 0 },
        listener: { onState: () => undefined, onEvent: () => undefined },
      });
      const text = JSON.stringify({ manager: { listeners: [{ connection: 'my-relay/db', ...more }] } });
      const read = await parseManagerSection(text, { file: 'hcm.yaml', env: {}, folder: '/' });
      manager.follow(specsOf([{ source: 'store', manager: read, pinnedOf: () => parseTarget(PINNED) }]));
      await clock.advanceAsync(0);
      const error = failure('HCM_TARGET_NOT_ALLOWED', 'not there');
      tunnels.last.emit({ event: 'online', target: NAMED, error });
      const [managed] = manager.connections;
      assert.ok(managed);
      const { state, target, unconfirmedTarget, reason } = viewOf(managed);
      assert.deepEqual([state, target, unconfirmedTarget], ['degraded', NAMED, unconfirmed]);
      const accept = 'hcm restart my-relay/db --accept-target';
      assert.equal(reason?.next === accept, unconfirmed !== undefined);
      tunnels.last.emit({ event: 'target-changed', target: PINNED });
      assert.equal(viewOf(managed).unconfirmedTarget, undefined);
      await manager.stop(0);
    });
});
