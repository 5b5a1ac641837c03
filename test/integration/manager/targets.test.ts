// Managers with real tunnels over the emulator: what they do when targets, keys and the metadata in Azure change.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { parseManagerSection } from '../../../src/lib/config/hcm-yaml/load.ts';
import { Manager } from '../../../src/manager/manager.ts';
import { tunnelOpener } from '../../../src/manager/open-tunnel.ts';
import { specsOf } from '../../../src/manager/specs.ts';
import { targetQuestions } from '../../../src/manager/target-questions.ts';
import { parseTarget } from '../../../src/protocol/target.ts';
import { systemClock, type Clock } from '../../../src/tunnel/clock.ts';
import type { Connection } from '../../../src/tunnel/options.ts';
import { sasKeyTokens } from '../../../src/tunnel/token-provider.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { tlsCertificate } from '../../helpers/tls-certificate.ts';
import { TunnelBed, readAll, tcpClient } from '../../helpers/tunnel-bed.ts';
import { rejectsWith } from '../../helpers/tunnel.ts';
import { until } from '../../helpers/until.ts';

/** Checks come ten times as often; what is dialed has its usual time. */
const hurriedClock: Clock = {
  ...systemClock,
  setTimer: (delayMs, act) => systemClock.setTimer(delayMs / 10, act),
};

const NAME = 'db';
const DB = 'listen local-relay/db';

describe('the targets of a manager', () => {
  expectNothingLeft();
  let bed: TunnelBed;
  let managers: Manager[];
  let heard: string[];

  beforeEach(async () => {
    bed = await TunnelBed.start({ connections: [{ name: NAME }] });
    managers = [];
    heard = [];
  });
  afterEach(async () => {
    await Promise.all(managers.map((manager) => manager.stop(0)));
    await bed.stop();
  });

  const listenerConnection = () => bed.connection('listener', { name: NAME });

  async function specs(entry: object, pinned?: string) {
    const text = JSON.stringify({
      manager: { listeners: [{ connection: `local-relay/${NAME}`, ...entry }] },
    });
    const manager = await parseManagerSection(text, { file: 'hcm.yaml', env: {}, folder: '/' });
    const pinnedOf = () => (pinned === undefined ? undefined : parseTarget(pinned));
    return specsOf([{ source: 'store', manager, pinnedOf }]);
  }

  async function manage(
    entry: object,
    more: { pinned?: string; connect?: () => Connection; ca?: readonly string[]; clock?: Clock } = {},
  ): Promise<Manager> {
    const { pinned, connect: find = listenerConnection, ca, clock } = more;
    const network = { loopbackCa: bed.emulator.caPem, ca, clock };
    const connect = () => Promise.resolve(find());
    const manager = new Manager({
      clock: clock ?? hurriedClock,
      random: Math.random,
      open: tunnelOpener({ connect, network }),
      targets: targetQuestions({ connect, network }),
      graceMs: 0,
      listener: { onState: () => undefined, onEvent: (_id, { event }) => heard.push(event) },
    });
    managers.push(manager);
    manager.follow(await specs(entry, pinned));
    return manager;
  }

  const stateOf = (manager: Manager) => manager.get(DB)?.record.state;
  const reasonOf = (manager: Manager) => {
    const state = stateOf(manager);
    return state && 'reason' in state ? state.reason : undefined;
  };
  const becomes = (manager: Manager, name: string) =>
    until(() => stateOf(manager)?.name === name, `${name}, but ${JSON.stringify(stateOf(manager))}`, 10_000);

  async function ask(): Promise<string> {
    const client = await tcpClient(await bed.localPort(sender()));
    const text = (await readAll(client)).toString();
    client.destroy();
    return text;
  }

  const sender = () => bed.sender({}, bed.connection('sender', { name: NAME }));

  /** A target that can be stopped and started again on its port. */
  class Switch {
    readonly answer: string;
    port = 0;
    connections = 0;
    readonly sockets = new Set<Socket>();
    #server: Server | undefined;

    constructor(answer: string) {
      this.answer = answer;
      bed.onStop(() => this.stop());
    }

    get target(): string {
      return `127.0.0.1:${this.port}`;
    }

    async start(): Promise<this> {
      this.#server = createServer((socket) => {
        this.connections += 1;
        this.sockets.add(socket);
        socket.on('error', () => undefined).once('close', () => this.sockets.delete(socket));
        if (this.answer === '') socket.pipe(socket);
        else socket.end(this.answer);
      });
      this.#server.listen(this.port, '127.0.0.1');
      await once(this.#server, 'listening');
      this.port = (this.#server.address() as AddressInfo).port;
      return this;
    }

    /** Takes no more; those that are open may stay. */
    refuse(): void {
      this.#server?.close();
      this.#server = undefined;
    }

    stop(): void {
      this.refuse();
      for (const socket of this.sockets) socket.destroy();
    }
  }

  const often = { tcp: true, everySeconds: 1 };

  it('are checked: while that of one of two managers is down, all new streams go to the other', async () => {
    const [one, two] = [await new Switch('one').start(), await new Switch('two').start()];
    const first = await manage({ target: one.target, healthCheck: often });
    const second = await manage({ target: two.target, healthCheck: often });
    await becomes(first, 'online');
    await becomes(second, 'online');
    one.stop();
    await becomes(first, 'target-down');
    assert.equal(reasonOf(first)?.code, 'HCM_TARGET_REFUSED');
    await until(() => bed.emulator.listenerCount(NAME) === 1, 'one listener');
    for (let count = 0; count < 10; count += 1) assert.equal(await ask(), 'two');
    await one.start();
    await becomes(first, 'online');
    two.stop();
    await becomes(second, 'target-down');
    assert.equal(await ask(), 'one');
  });

  it('that go leave open streams alone', async () => {
    const echo = await new Switch('').start();
    const manager = await manage({ target: echo.target, healthCheck: often });
    await becomes(manager, 'online');
    const client = await tcpClient(await bed.localPort(sender()));
    const ping = async (text: string) => {
      client.write(text);
      const [back] = (await once(client, 'data')) as [Buffer];
      assert.equal(back.toString(), text);
    };
    await ping('before');
    echo.refuse();
    await becomes(manager, 'target-down');
    await ping('after');
    assert.equal(manager.get(DB)?.streams.length, 1);
    client.destroy();
    await until(() => manager.get(DB)?.streams.length === 0);
  });

  it('are checked by HTTP: a server error is an outage, a refusal is none, and no redirect is followed', async () => {
    let status = 503;
    const asked: string[] = [];
    const { createServer: createHttp } = await import('node:http');
    const server = createHttp((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.host}`);
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    bed.onStop(() => void (server.closeAllConnections(), server.close()));
    const origin = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const healthCheck = { http: '/health', everySeconds: 1 };
    const manager = await manage({ target: `http://${origin}/app`, healthCheck });
    await becomes(manager, 'target-down');
    assert.match(reasonOf(manager)?.message ?? '', /answered with status 503/);
    status = 302;
    await becomes(manager, 'online');
    status = 401;
    const count = asked.length;
    await until(() => asked.length > count + 1);
    assert.equal(stateOf(manager)?.name, 'online');
    assert.deepEqual(new Set(asked), new Set([`GET /health ${origin}`]));
  });

  it('that speak TLS are trusted as requests trust them', async () => {
    const { createServer: createTls } = await import('node:https');
    const { ca, cert, key } = await tlsCertificate();
    const server = createTls({ cert, key }, (_request, response) => void response.end());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    bed.onStop(() => void (server.closeAllConnections(), server.close()));
    const target = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const stranger = await manage({ target, healthCheck: 'http' });
    await becomes(stranger, 'target-down');
    assert.match(reasonOf(stranger)?.message ?? '', /TLS with .* failed/);
    await becomes(await manage({ target, healthCheck: 'http' }, { ca: [ca] }), 'online');
  });

  it('that the allow-list does not permit are never dialed', async () => {
    const forbidden = await new Switch('secret').start();
    const manager = await manage({ target: forbidden.target, allow: ['10.0.0.0/8:*'], healthCheck: often });
    await becomes(manager, 'online');
    await rejectsWith(sender().open(), 'HCM_TARGET_NOT_ALLOWED');
    await becomes(manager, 'degraded');
    const later = manager.get(DB)?.nextCheckAtMs ?? NaN;
    await until(() => (manager.get(DB)?.nextCheckAtMs ?? NaN) > later, 'another check');
    assert.equal(forbidden.connections, 0);
  });

  it('of logical ports are down together or not at all', async () => {
    const [one, two] = [await new Switch('one').start(), await new Switch('two').start()];
    const ports = { one: one.target, two: two.target };
    const manager = await manage({ dialect: 'azbridge', ports, healthCheck: often });
    await becomes(manager, 'online');
    one.stop();
    const seen = two.connections;
    await until(() => two.connections > seen + 2);
    assert.equal(stateOf(manager)?.name, 'online');
    two.stop();
    await becomes(manager, 'target-down');
    await one.start();
    await becomes(manager, 'online');
  });

  it('that a stream found down are seen again when they are back, without another stream', async () => {
    const target = await new Switch('back').start();
    const manager = await manage({ target: target.target });
    await becomes(manager, 'online');
    target.stop();
    await rejectsWith(sender().open(), 'HCM_TARGET_REFUSED');
    await becomes(manager, 'degraded');
    await target.start();
    await becomes(manager, 'online');
    assert.equal(target.connections, 1, 'asked once, and not when it is well');
  });

  it('that Azure names are followed to no other one; who moved one, and confirms it, is followed', async () => {
    const [old, next] = [await new Switch('old').start(), await new Switch('new').start()];
    const describeAs = (target: string) => bed.emulator.addConnection({ name: NAME, target });
    describeAs(old.target);
    const manager = await manage({ healthCheck: often }, { pinned: old.target });
    await becomes(manager, 'online');
    describeAs(next.target);
    bed.emulator.faults.dropControlChannels();
    await becomes(manager, 'degraded');
    assert.match(
      reasonOf(manager)?.message ?? '',
      new RegExp(`${next.target} now; ${old.target} was confirmed`),
    );
    await rejectsWith(sender().open(), 'HCM_TARGET_NOT_ALLOWED');
    assert.equal(next.connections, 0);
    manager.follow(await specs({ healthCheck: often }, next.target));
    await becomes(manager, 'online');
    assert.equal(await ask(), 'new');
  });

  it('that Azure names and the allow-list permits are followed', async () => {
    const [old, next] = [await new Switch('old').start(), await new Switch('new').start()];
    bed.emulator.addConnection({ name: NAME, target: old.target });
    const allow = ['127.0.0.0/8:*'];
    const manager = await manage({ allow, healthCheck: often }, { pinned: old.target });
    await becomes(manager, 'online');
    bed.emulator.addConnection({ name: NAME, target: next.target });
    bed.emulator.faults.dropControlChannels();
    await until(() => manager.get(DB)?.record.target === next.target, 'the new target', 10_000);
    assert.equal(stateOf(manager)?.name, 'online');
    assert.equal(await ask(), 'new');
  });

  it('are reached with a new key, and no stream notices', async () => {
    const echo = await new Switch('').start();
    let key: Connection = {
      ...listenerConnection(),
      tokens: sasKeyTokens({ keyName: 'x', key: 'old' }, systemClock),
    };
    const manager = await manage({ target: echo.target }, { connect: () => key });
    await becomes(manager, 'waiting');
    key = listenerConnection();
    await manager.get(DB)?.renewKey();
    await becomes(manager, 'online');
    const client = await tcpClient(await bed.localPort(sender()));
    client.write('a');
    await once(client, 'data');
    await manager.get(DB)?.renewKey();
    client.write('b');
    const [back] = (await once(client, 'data')) as [Buffer];
    assert.equal(back.toString(), 'b');
    assert.equal(stateOf(manager)?.name, 'online');
    client.destroy();
  });

  it('are reached with a key that was changed behind its back, once the relay refuses the old one', async () => {
    const target = await new Switch('here').start();
    let key: Connection = listenerConnection();
    const manager = await manage({ target: target.target }, { connect: () => key });
    await becomes(manager, 'online');
    const [entity] = bed.emulator.state.namespaces.flatMap(({ connections }) => connections);
    const rule = entity?.rules.find(({ name }) => name === 'defaultListener');
    assert.ok(rule);
    rule.primaryKey = Buffer.alloc(32, 7).toString('base64');
    key = { ...key, tokens: sasKeyTokens({ keyName: rule.name, key: rule.primaryKey }, systemClock) };
    bed.emulator.faults.dropControlChannels();
    await until(() => (manager.get(DB)?.record.totals.reconnects ?? 0) > 0);
    await becomes(manager, 'online');
    assert.equal(await ask(), 'here');
  });

  for (const byMs of [2 * 3_600_000, -1_800_000]) {
    it(`are reached with a new token and the same tunnel when the clock is set by ${byMs / 60_000} min`, async () => {
      const target = await new Switch('here').start();
      const clock = new FakeClock(Date.now());
      const connect = () => bed.connection('listener', { name: NAME, clock });
      const manager = await manage({ target: target.target }, { clock, connect });
      await becomes(manager, 'online');
      const tunnel = manager.get(DB)?.tunnel;
      clock.jumpWallClock(byMs);
      clock.advance(10_000);
      await until(() => heard.includes('token-renewed'), 'a new token');
      assert.equal(await ask(), 'here');
      assert.deepEqual([stateOf(manager)?.name, manager.get(DB)?.tunnel === tunnel], ['online', true]);
      assert.equal(heard.filter((event) => event === 'online').length, 1);
    });
  }
});
