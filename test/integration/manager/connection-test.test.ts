// A connection of the manager is tested beside the tunnel that runs: real proofs against the emulator.
import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import type {
  ForwardDeclaration,
  ListenerTargets,
} from '../../../src/lib/config/hcm-yaml/manager-declaration.ts';
import { proofOfView, viewOfProof } from '../../../src/lib/services/doctor/proof-view.ts';
import { ConnectionTester } from '../../../src/manager/connection-test.ts';
import type { TestReport } from '../../../src/manager/control/operations.ts';
import { ManagedConnection } from '../../../src/manager/managed-connection.ts';
import { tunnelOpener } from '../../../src/manager/open-tunnel.ts';
import type { ConnectionSpec } from '../../../src/manager/tunnel.ts';
import { parseAllowRule } from '../../../src/protocol/allow-list.ts';
import { HcmError } from '../../../src/protocol/errors.ts';
import type { Target } from '../../../src/protocol/target.ts';
import { systemClock } from '../../../src/tunnel/clock.ts';
import type { Connection } from '../../../src/tunnel/options.ts';
import { DoctorBed } from '../../helpers/doctor-bed.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { specOf } from '../../helpers/fake-tunnels.ts';
import { TunnelBed } from '../../helpers/tunnel-bed.ts';
import { ENTITY } from '../../helpers/tunnel.ts';
import { until } from '../../helpers/until.ts';

const ANYWHERE = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;

describe('a connection of the manager, tested', () => {
  let bed: TunnelBed;
  let doctor: DoctorBed;
  let target: Target;

  beforeEach(async () => {
    doctor = await DoctorBed.make();
    bed = await TunnelBed.start();
    target = await bed.target((socket) => socket.resume().once('end', () => socket.end()));
  });
  afterEach(async () => {
    await bed.stop();
    await doctor.remove();
  });

  function tester(more: Partial<ConstructorParameters<typeof ConnectionTester>[0]> = {}): ConnectionTester {
    const { machine, proxySetting, network, dns, clock } = doctor.scene(bed.emulator, []);
    const connect = ({ role }: ConnectionSpec) =>
      Promise.resolve(bed.connection(role === 'listener' ? 'listener' : 'sender'));
    return new ConnectionTester({ connect, machine, proxySetting, network, dns, clock, ...more });
  }

  function listenerSpec(targets: ListenerTargets): ConnectionSpec {
    const spec = specOf(`listener my-relay/${ENTITY}`);
    assert.ok(spec.declared.kind === 'listener');
    return { ...spec, declared: { kind: 'listener', listener: { ...spec.declared.listener, targets } } };
  }

  function forwardSpec(binds: ForwardDeclaration['binds']): ConnectionSpec {
    const spec = specOf(`forward my-relay/${ENTITY}`);
    const forward = {
      connection: spec.connection,
      access: { kind: 'azure' },
      at: { line: 1, column: 1 },
      binds,
    } as const;
    return { ...spec, declared: { kind: 'forward', forward } };
  }

  /** Runs until the end of the test; resolves when it is up. */
  async function running(
    spec: ConnectionSpec,
    connect?: () => Promise<Connection>,
  ): Promise<ManagedConnection> {
    const { caPem } = bed.emulator;
    const managed = new ManagedConnection(spec, {
      clock: systemClock,
      random: Math.random,
      open: tunnelOpener({
        connect:
          connect ??
          (({ role }) => Promise.resolve(bed.connection(role === 'listener' ? 'listener' : 'sender'))),
        network: { loopbackCa: caPem },
      }),
      onEvent: bed.heard.record,
      onState: () => undefined,
    });
    managed.start();
    bed.onStop(() => managed.stop(0));
    await until(() => managed.record.state.name !== 'connecting');
    return managed;
  }

  const outline = ({ proofs }: TestReport) =>
    proofs.map(({ name, result, code }) => [name, result, code].filter(Boolean).join(' '));
  const raw = (): ListenerTargets => ({ dialect: 'raw', target: { kind: 'tcp', ...target } });
  async function closedPort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return port;
  }

  it('passes, says why it cannot send, and leaves the tunnel alone', async () => {
    const managed = await running(listenerSpec(raw()));
    const before = bed.heard.all.length;
    const report = await tester().test(managed);
    assert.equal(report.passed, true, JSON.stringify(report, undefined, 1));
    assert.deepEqual(outline(report), [
      'machine passed',
      'clock passed',
      'dns passed',
      'proxy passed',
      'tcp passed',
      'gateways skipped',
      'tls passed',
      'websocket passed',
      'token passed',
      'entity passed',
      'metadata warning HCM_TARGET_MISSING',
      'listeners passed',
      'target passed',
      'probe skipped',
      'state passed',
    ]);
    assert.match(report.proofs.at(-2)?.text ?? '', /the right Send/);
    assert.match(report.proofs.at(-1)?.text ?? '', new RegExp(`^online since .*127.0.0.1:${target.port}`));
    assert.equal(bed.heard.all.length, before, 'the tunnel has seen nothing of it');
    assert.equal(bed.emulator.listenerCount(ENTITY), 1);
  });

  it('dials nothing that no stream may dial', async () => {
    const spec = listenerSpec(raw());
    assert.ok(spec.declared.kind === 'listener');
    const allow = [parseAllowRule('db.corp.example:5432')];
    const managed = await running({
      ...spec,
      declared: { kind: 'listener', listener: { ...spec.declared.listener, allow } },
    });
    const { proofs } = await tester().test(managed);
    assert.equal(proofs.find(({ name }) => name === 'target')?.code, 'HCM_TARGET_NOT_ALLOWED');
  });

  it('names the target that is down, with its remedy, though the manager is online', async () => {
    const port = await closedPort();
    const managed = await running(
      listenerSpec({ dialect: 'raw', target: { kind: 'tcp', host: '127.0.0.1', port } }),
    );
    const report = await tester().test(managed);
    const failures = report.proofs.filter(({ result }) => result === 'failed');
    assert.deepEqual(
      failures.map(({ name, code }) => [name, code]),
      [['target', 'HCM_TARGET_REFUSED']],
    );
    assert.match(failures[0]?.next ?? '', /whether the target is running/);
    assert.equal(report.passed, false);
  });

  it('goes through the relay for a forward, and tells where it is bound', async () => {
    await bed.onlineListener({ target });
    const managed = await running(forwardSpec({ kind: 'raw', bind: ANYWHERE }));
    const report = await tester().test(managed);
    assert.deepEqual(outline(report).slice(-5), [
      'metadata skipped',
      'listeners skipped',
      'target skipped',
      'probe passed',
      'state passed',
    ]);
    assert.equal(report.proofs.at(-3)?.text, 'no target is known here: the listener has it');
    assert.match(report.proofs.at(-1)?.text ?? '', /bound to 127\.0\.0\.1:\d+$/);
  });

  it('speaks azbridge where the tunnel does, and tries each of its targets', async () => {
    const ports = new Map([['db', { kind: 'tcp', ...target } as const]]);
    const listener = await running(listenerSpec({ dialect: 'azbridge', ports }));
    const forward = await running(forwardSpec({ kind: 'azbridge', ports: new Map([['db', ANYWHERE]]) }));
    const [sent, heard] = [await tester().test(forward), await tester().test(listener)];
    assert.deepEqual(
      [outline(sent).at(-2), outline(heard).at(-3), sent.passed, heard.passed],
      ['probe passed', 'target passed', true, true],
    );
    await until(() => bed.heard.of('closed').length === 1);
    assert.deepEqual(bed.heard.of('rejected'), [], 'it is no foreign dialect');
    ports.set('other', { kind: 'tcp', host: '127.0.0.1', port: await closedPort() });
    const broken = await tester().test(listener);
    assert.deepEqual(
      broken.proofs.filter(({ result }) => result === 'failed').map(({ name, code }) => [name, code]),
      [['target', 'HCM_TARGET_REFUSED']],
    );
  });

  it('has the reason of the manager as its last proof', async () => {
    const refuse = () => Promise.reject(new HcmError('HCM_RIGHT_MISSING', 'no key for it'));
    const managed = await running(listenerSpec(raw()), refuse);
    const report = await tester({ connect: refuse }).test(managed);
    assert.deepEqual(outline(report), ['token failed HCM_RIGHT_MISSING', 'state failed HCM_RIGHT_MISSING']);
    assert.match(report.proofs[1]?.text ?? '', /^waiting since .*: no key for it$/);
  });

  it('is made once for all who ask at the same time', async () => {
    const managed = await running(listenerSpec(raw()));
    let asked = 0;
    const shared = tester({
      connect: () => {
        asked += 1;
        return Promise.resolve(bed.connection('listener'));
      },
    });
    const [first, second] = await Promise.all([shared.test(managed), shared.test(managed)]);
    assert.equal(first, second);
    assert.equal(asked, 1);
    await shared.test(managed);
    assert.equal(asked, 2);
  });

  it('does not prove again what is known, and skips what stands on what failed', async () => {
    const managed = await running(listenerSpec(raw()));
    const passed = ['machine', 'clock', 'dns', 'proxy', 'gateways', 'tls', 'websocket'] as const;
    const known = Object.fromEntries(passed.map((name) => [name, 'passed' as const]));
    const short = await tester().test(managed, { ...known, tcp: 'passed' });
    assert.deepEqual(
      short.proofs.map(({ name }) => name),
      ['token', 'entity', 'metadata', 'listeners', 'target', 'probe', 'state'],
    );
    const down = await tester().test(managed, { ...known, websocket: 'failed' });
    assert.deepEqual(outline(down).slice(0, 3), ['tcp passed', 'token skipped', 'entity skipped']);
  });

  it('comes to an end when something hangs, and when the manager stops', async () => {
    const managed = await running(listenerSpec(raw()));
    const hang = () => new Promise<never>(() => undefined);
    const clock = new FakeClock();
    const hanging = tester({ connect: hang, clock, limitMs: 1_000 }).test(managed);
    clock.advance(1_000);
    assert.deepEqual(outline(await hanging), ['token failed HCM_WAIT_TIMEOUT', 'state passed']);
    const stopped = tester({ connect: hang });
    const ended = stopped.test(managed);
    stopped.stop();
    assert.equal(outline(await ended)[0], 'token failed HCM_ABORTED');
  });

  it('travels as JSON without loss', async () => {
    const managed = await running(
      listenerSpec({ dialect: 'raw', target: { kind: 'tcp', host: '127.0.0.1', port: await closedPort() } }),
    );
    const report = await tester().test(managed);
    const travelled = JSON.parse(JSON.stringify(report)) as TestReport;
    assert.deepEqual(travelled, report);
    const again = travelled.proofs.map(proofOfView).map(viewOfProof);
    // What to do stands among the details, too, the second time.
    const text = (proofs: TestReport['proofs']) =>
      JSON.stringify(proofs, (name, value: unknown) => (name === 'details' ? undefined : value));
    assert.equal(text(again), text(report.proofs));
  });
});
