// Each fault that a network, a relay, a key or a target can have, and the proof that names it. The relay is the emulator,
// the boxes on the way are real sockets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { ERROR_TABLE } from '../../../src/lib/error-table.ts';
import { firstFailure, type ProofId, type ProofReport } from '../../../src/lib/services/doctor/report.ts';
import type { Scene } from '../../../src/lib/services/doctor/scene.ts';
import type { ErrorCode } from '../../../src/protocol/errors.ts';
import { formatTarget, type Target } from '../../../src/protocol/target.ts';
import { systemClock } from '../../../src/tunnel/clock.ts';
import type { Connection, Proxy } from '../../../src/tunnel/options.ts';
import {
  connectionOf,
  diagnose,
  DoctorBed,
  namesOf,
  outlineOf,
  unknownName,
} from '../../helpers/doctor-bed.ts';
import { TestProxy } from '../../helpers/proxies.ts';
import { TlsInterceptor, withoutHeaders, type Interception } from '../../helpers/tls-interceptor.ts';
import { TunnelBed } from '../../helpers/tunnel-bed.ts';
import { ENTITY } from '../../helpers/tunnel.ts';
import { until } from '../../helpers/until.ts';

const MINUTE_MS = 60_000;

describe('hcm doctor names the first thing that is wrong', () => {
  let bed: TunnelBed;
  let doctor: DoctorBed;
  let target: Target;

  beforeEach(async () => {
    doctor = await DoctorBed.make();
    bed = await TunnelBed.start();
    target = await bed.target((socket) => socket.resume().once('end', () => socket.end()));
    setMetadata([{ key: 'endpoint', value: formatTarget(target) }]);
  });
  afterEach(async () => {
    await bed.stop();
    await doctor.remove();
  });

  const both = (endpoint?: Partial<Connection['endpoint']>) =>
    ['listenerConnectionString', 'senderConnectionString'].map((name) =>
      connectionOf(text(name as 'listenerConnectionString'), endpoint),
    );
  const text = (name: 'listenerConnectionString' | 'senderConnectionString') => {
    const [connection] = bed.emulator.connections;
    assert.ok(connection);
    return connection[name];
  };
  const listenerOnly = () => [connectionOf(text('listenerConnectionString'))];
  const senderOnly = () => [connectionOf(text('senderConnectionString'))];
  const scene = (connections: readonly Connection[], other?: Partial<Scene>) =>
    doctor.scene(bed.emulator, connections, other);
  const online = () => bed.onlineListener({ target });

  function entity() {
    const connection = bed.emulator.state.namespaces[0]?.connections.find(({ name }) => name === ENTITY);
    assert.ok(connection);
    return connection;
  }
  function setMetadata(value: unknown): void {
    entity().userMetadata = typeof value === 'string' ? value : JSON.stringify(value);
  }
  async function intercept(options: Partial<Interception> = {}): Promise<TlsInterceptor> {
    const { port: toPort, caPem: toCa } = bed.emulator;
    const interceptor = await TlsInterceptor.start({ toPort, toCa, ...options });
    bed.onStop(() => interceptor.stop());
    return interceptor;
  }
  function behind(proxy: TestProxy, as?: Proxy, source?: 'HCM_PROXY') {
    bed.onStop(() => proxy.stop());
    const network = { ca: [] as string[], proxyFor: () => as ?? proxy.address() };
    return { network, proxySetting: { source } };
  }
  async function closedPort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return port;
  }

  it('all proofs hold when nothing is wrong, and the probe reaches the target', async () => {
    await online();
    const reports = await diagnose(scene(both()));
    assert.deepEqual(outlineOf(reports.values()), [
      'machine: ok',
      'clock: ok',
      'dns: ok',
      'proxy: ok',
      'tcp: ok',
      'gateways: skipped',
      'tls: ok',
      'websocket: ok',
      'token: ok',
      'entity: ok',
      'metadata: ok',
      'listeners: ok',
      'target: ok',
      'probe: ok',
    ]);
    await until(() => bed.heard.of('closed').length === 1, 'the end of the probe at the listener');
    assert.deepEqual(
      [bed.heard.of('accepted').length, bed.heard.of('rejected').length, bed.heard.of('closed')[0]?.error],
      [1, 0, undefined],
    );
    await until(() => bed.emulator.streamCount === 0, 'the end of the probe at the relay');
  });

  it('the rights are found out without a registration and without a stream', async () => {
    await diagnose(scene(both()));
    assert.equal(bed.emulator.listenerCount(ENTITY), 0);
    assert.equal(bed.heard.all.length, 0);
  });

  interface Fault {
    name: string;
    /** Breaks something, and says what is examined. */
    arrange: () => Promise<Scene> | Scene;
    first: ProofId;
    code: ErrorCode;
    status: number;
    says?: RegExp;
    skips?: readonly ProofId[];
  }

  const FAULTS: readonly Fault[] = [
    {
      name: 'a clock that is 10 minutes behind',
      arrange: async () => {
        await online();
        bed.emulator.faults.clockOffsetMs = 10 * MINUTE_MS;
        return scene(both());
      },
      ...{ first: 'clock', code: 'HCM_CLOCK_SKEW', status: 3, says: /10 minutes behind/ },
    },
    {
      name: 'a clock that is 10 minutes ahead',
      arrange: () => scene(both(), { clock: { ...systemClock, nowMs: () => Date.now() + 10 * MINUTE_MS } }),
      ...{ first: 'clock', code: 'HCM_CLOCK_SKEW', status: 3, says: /10 minutes ahead/ },
    },
    {
      name: 'a name that does not resolve',
      arrange: () =>
        scene(both({ host: 'my-relay.servicebus.windows.net' }), {
          dns: namesOf({ addresses: unknownName }),
        }),
      ...{ first: 'dns', code: 'HCM_DNS_FAILED', status: 4, says: /my-relay\.servicebus\.windows\.net/ },
      skips: ['clock', 'tcp', 'tls', 'websocket', 'token', 'entity', 'listeners', 'probe'],
    },
    {
      name: 'a port that is closed',
      arrange: async () => scene(both({ port: await closedPort() })),
      ...{ first: 'tcp', code: 'HCM_CONNECT_REFUSED', status: 4, says: /refused/ },
      skips: ['clock', 'tls', 'websocket', 'token', 'probe'],
    },
    {
      name: 'a proxy that wants a user and a password',
      arrange: async () => {
        const [username, password] = ['me', 'proxy-secret'];
        const proxy = await TestProxy.start('http', { toPort: bed.emulator.port, username, password });
        const way = behind(proxy, { ...proxy.address({}) }, 'HCM_PROXY');
        return scene(both({ host: 'relay.corp.example' }), way);
      },
      ...{ first: 'proxy', code: 'HCM_PROXY_AUTH_REQUIRED', status: 4, says: /407/ },
      skips: ['clock', 'tcp', 'tls', 'probe'],
    },
    {
      name: 'a proxy that is not there',
      arrange: async () => {
        const port = await closedPort();
        const network = { proxyFor: () => ({ kind: 'http', host: '127.0.0.1', port }) as const };
        return scene(both({ host: 'relay.corp.example' }), { network });
      },
      ...{ first: 'proxy', code: 'HCM_PROXY_FAILED', status: 4, says: /could not be used/ },
      skips: ['tcp', 'tls'],
    },
    {
      name: 'a box that opens TLS',
      arrange: async () => scene(both({ port: (await intercept()).port })),
      ...{ first: 'tls', code: 'HCM_TLS_UNTRUSTED', status: 4, says: /issued by "Corp TLS Inspection CA/ },
      skips: ['websocket', 'token', 'probe'],
    },
    {
      name: 'a box that opens TLS at Azure, behind a proxy',
      arrange: async () => {
        const host = 'my-relay.servicebus.windows.net';
        const proxy = await TestProxy.start('http', { toPort: (await intercept({ name: host })).port });
        return scene(both({ host }), behind(proxy));
      },
      ...{ first: 'tls', code: 'HCM_TLS_UNTRUSTED', status: 4, says: /issued by "Corp TLS Inspection CA/ },
    },
    {
      name: 'something that speaks no TLS',
      arrange: async () => {
        const plain = await bed.target((socket) =>
          socket.once('data', () => socket.end('HTTP/1.1 400 What\r\n\r\n')),
        );
        return scene(both({ port: plain.port }));
      },
      ...{ first: 'tls', code: 'HCM_TLS_FAILED', status: 4 },
    },
    {
      name: 'a box that answers WebSockets itself',
      arrange: async () => {
        const answer = 'HTTP/1.1 403 Forbidden\r\nServer: corp-proxy\r\nContent-Length: 0\r\n\r\n';
        const box = await intercept({ onHead: () => answer });
        return scene(both({ port: box.port }), { network: { loopbackCa: box.ca } });
      },
      ...{
        first: 'websocket',
        code: 'HCM_HANDSHAKE_FAILED',
        status: 4,
        says: /something on the way: 403.*corp-proxy/,
      },
      skips: ['token', 'entity', 'probe'],
    },
    {
      name: 'a box that cuts the upgrade off',
      arrange: async () => {
        const box = await intercept({ onHead: (head) => withoutHeaders(head, 'upgrade', 'connection') });
        return scene(both({ port: box.port }), { network: { loopbackCa: box.ca } });
      },
      ...{ first: 'websocket', code: 'HCM_HANDSHAKE_FAILED', status: 4, says: /plain request/ },
      skips: ['token', 'probe'],
    },
    {
      name: 'a wrong key',
      arrange: () => {
        const wrong = text('listenerConnectionString').replace(
          /SharedAccessKey=[^;]*/,
          'SharedAccessKey=d3Jvbmc=',
        );
        return scene([connectionOf(wrong)]);
      },
      ...{ first: 'token', code: 'HCM_TOKEN_SIGNATURE', status: 3, says: /invalid signature/ },
      skips: ['entity', 'metadata', 'listeners', 'target', 'probe'],
    },
    {
      name: 'one key of two that is wrong',
      arrange: async () => {
        await online();
        const wrong = text('senderConnectionString').replace(
          /SharedAccessKey=[^;]*/,
          'SharedAccessKey=d3Jvbmc=',
        );
        return scene([...listenerOnly(), connectionOf(wrong)]);
      },
      ...{ first: 'token', code: 'HCM_TOKEN_SIGNATURE', status: 3 },
    },
    {
      name: 'the right to send missing on the sender’s side',
      arrange: async () => {
        await online();
        return scene(listenerOnly(), { side: 'sender' });
      },
      ...{ first: 'token', code: 'HCM_RIGHT_MISSING', status: 3 },
    },
    {
      name: 'the right to listen missing on the listener’s side',
      arrange: () => scene(senderOnly(), { side: 'listener' }),
      ...{ first: 'token', code: 'HCM_RIGHT_MISSING', status: 3 },
    },
    {
      name: 'an entity that is not there',
      arrange: () => {
        const [namespace] = [connectionOf(`${bed.emulator.connectionString};EntityPath=nothing`)];
        return scene([namespace]);
      },
      ...{ first: 'entity', code: 'HCM_ENTITY_NOT_FOUND', status: 5, says: /"nothing"/ },
      skips: ['metadata', 'listeners', 'probe'],
    },
    {
      name: 'metadata that is missing',
      arrange: async () => {
        await online();
        setMetadata('');
        return scene(both());
      },
      ...{ first: 'metadata', code: 'HCM_TARGET_MISSING', status: 2, says: /names no target/ },
    },
    {
      name: 'metadata that is no JSON',
      arrange: async () => {
        await online();
        setMetadata('endpoint=db:1');
        return scene(both());
      },
      ...{ first: 'metadata', code: 'HCM_TARGET_MISSING', status: 2, says: /not JSON/ },
    },
    {
      name: 'metadata with an endpoint that is none',
      arrange: async () => {
        await online();
        setMetadata([{ key: 'endpoint', value: 'db' }]);
        return scene(both());
      },
      ...{ first: 'metadata', code: 'HCM_TARGET_INVALID', status: 2 },
    },
    {
      name: 'no listener',
      arrange: () => scene(both()),
      ...{ first: 'listeners', code: 'HCM_NO_LISTENER', status: 4, skips: ['probe'] },
    },
    {
      name: 'no listener, with a key that can only send',
      arrange: () => scene(senderOnly()),
      ...{ first: 'probe', code: 'HCM_NO_LISTENER', status: 4 },
    },
    {
      name: '25 listeners, on the listener’s side',
      arrange: async () => {
        await Promise.all(Array.from({ length: 25 }, online));
        return scene(both(), { side: 'listener' });
      },
      ...{
        first: 'listeners',
        code: 'HCM_LISTENER_QUOTA',
        status: 4,
        says: /25 of at most 25/,
        skips: ['probe'],
      },
    },
    {
      name: 'a target that is down, beside it',
      arrange: async () => {
        await online();
        setMetadata([{ key: 'endpoint', value: `127.0.0.1:${await closedPort()}` }]);
        return scene(listenerOnly());
      },
      ...{ first: 'target', code: 'HCM_TARGET_REFUSED', status: 6, skips: ['probe'] },
    },
    {
      name: 'a target that is down, from the other side',
      arrange: async () => {
        await bed.onlineListener({ target: { host: '127.0.0.1', port: await closedPort() } });
        return scene(senderOnly());
      },
      ...{ first: 'probe', code: 'HCM_TARGET_REFUSED', status: 6 },
    },
    {
      name: 'a listener that never answers',
      arrange: async () => {
        await online();
        const reason = 'None of the connected listeners accepted the connection within the allowed timeout.';
        bed.emulator.faults.refuse({ action: 'connect', status: 504, reason });
        return scene(both());
      },
      ...{ first: 'probe', code: 'HCM_LISTENER_TIMEOUT', status: 4 },
    },
  ];

  for (const { name, arrange, first, code, status, says = /./, skips = [] } of FAULTS) {
    it(`${name}: ${first}, ${code}`, async () => {
      const reports = await diagnose(await arrange());
      const outline = outlineOf(reports.values()).join('\n');
      const failure = firstFailure([...reports.values()]);
      assert.ok(failure, outline);
      assert.deepEqual(
        [failure.proof, failure.error.code, ERROR_TABLE[failure.error.code].exitStatus],
        [first, code, status],
        `${outline}\n${failure.error.message}`,
      );
      assert.match(`${failure.seen} ${failure.cause}`, says);
      const ran = skips.filter((id) => reports.get(id)?.result !== 'skipped');
      assert.deepEqual(ran, [], outline);
    });
  }

  /** The report of one proof. */
  async function proved(id: ProofId, given: Scene): Promise<ProofReport> {
    const report = (await diagnose(given)).get(id);
    assert.ok(report);
    return report;
  }

  it('a key that can only listen leaves the probe out, and says so', async () => {
    await online();
    const reports = await diagnose(scene(listenerOnly()));
    assert.equal(firstFailure([...reports.values()]), undefined);
    assert.match(reports.get('token')?.seen ?? '', /may listen; without Send no connection can be tried/);
    assert.equal(reports.get('probe')?.seen, 'needs a rule with the right Send');
  });

  it('a key that can only send leaves the description out, and the probe still goes through', async () => {
    await online();
    const reports = await diagnose(scene(senderOnly()));
    assert.deepEqual(outlineOf(reports.values()).slice(8), [
      'token: ok',
      'entity: ok',
      'metadata: skipped',
      'listeners: skipped',
      'target: skipped',
      'probe: ok',
    ]);
  });

  it('a box that nobody trusts is looked at, and is told neither a token nor a key', async () => {
    await online();
    const heads: string[] = [];
    const box = await intercept({
      onHead: (head) => {
        heads.push([head.startLine, ...head.rawHeaders].join('\n'));
        return head;
      },
    });
    const tls = await proved('tls', scene(both({ port: box.port })));
    assert.equal(tls.result, 'failed');
    assert.ok(heads.length > 0, 'it was asked who it is');
    for (const head of heads) {
      assert.doesNotMatch(head, /SharedAccessSignature|ServiceBusAuthorization|sb-hc-token|Bearer/i);
    }
  });

  it('TLS that is opened by an authority this machine trusts is a warning with its name', async () => {
    await online();
    const box = await intercept();
    const network = { loopbackCa: bed.emulator.caPem, ca: [box.ca] };
    const reports = await diagnose(scene(both({ port: box.port }), { network }));
    const tls = reports.get('tls');
    assert.deepEqual([tls?.result, tls?.facts?.['inspected']], ['warning', true]);
    assert.match(tls?.seen ?? '', /issued by "Corp TLS Inspection CA/);
    assert.equal(firstFailure([...reports.values()]), undefined, outlineOf(reports.values()).join('\n'));
  });

  it('a certificate that has expired is told apart from a box on the way', async () => {
    const validTo = new Date(Date.now() - MINUTE_MS);
    const box = await intercept({ validTo });
    const tls = await proved('tls', scene(both({ port: box.port }), { network: { loopbackCa: box.ca } }));
    assert.equal(tls.result, 'failed');
    assert.match(tls.result === 'failed' ? (tls.cause ?? '') : '', /^It is good from .* to /);
  });

  it('all goes well through a proxy, which is named without its password', async () => {
    await online();
    const box = await intercept({ name: 'relay.corp.example' });
    const through = await TestProxy.start('http', {
      toPort: box.port,
      username: 'me',
      password: 'proxy-secret',
    });
    bed.onStop(() => through.stop());
    const reports = await diagnose(
      scene(both({ host: 'relay.corp.example' }), {
        dns: namesOf({ addresses: unknownName }),
        network: { ca: [box.ca], proxyFor: () => through.address() },
        proxySetting: { source: '--proxy' },
      }),
    );
    assert.equal(firstFailure([...reports.values()]), undefined, outlineOf(reports.values()).join('\n'));
    // The proxy resolves the name; that this machine cannot is only worth a word.
    assert.equal(reports.get('dns')?.result, 'warning');
    assert.match(
      reports.get('proxy')?.seen ?? '',
      /^http:\/\/127\.0\.0\.1:\d+ \(--proxy names it\) connects/,
    );
    assert.doesNotMatch(JSON.stringify([...reports.values()]), /proxy-secret/);
  });

  it('the stamp, the gateways behind it and a private endpoint are found in DNS', async () => {
    const dns = namesOf({
      aliases: ['my-relay.privatelink.servicebus.windows.net', 'ns-sb2-prod-am3-003.cloudapp.net'],
      exists: (host) => /^(?:g|gv)[0-9]-prod-am3-003-sb\.servicebus\.windows\.net$/.test(host),
    });
    const given = scene(both({ host: 'my-relay.servicebus.windows.net' }), { dns });
    const { seen, facts } = await proved('dns', given);
    assert.deepEqual(
      [facts?.['stamp'], facts?.['privateLink'], facts?.['gateways']],
      ['prod-am3-003', true, { known: 20, names: 256 }],
    );
    assert.match(seen, /9400-9599/);
  });

  it('gateways that are blocked are named, though the namespace answers', async () => {
    const dns = namesOf({
      aliases: ['ns-prod-am3-003.cloudapp.net'],
      exists: (host) => /^g[0-9]-/.test(host),
      // Nobody listens on this address.
      addresses: (host) => (host.startsWith('g9-') ? ['127.9.9.9'] : ['127.0.0.1']),
    });
    const blocked = await proved(
      'gateways',
      scene(both({ host: 'my-relay.servicebus.windows.net' }), { dns }),
    );
    assert.deepEqual(
      [blocked.result, blocked.facts?.['blocked']],
      ['failed', ['g9-prod-am3-003-sb.servicebus.windows.net']],
    );
    assert.match(blocked.seen, /^1 of 4 gateways/);
  });

  it('a target of the metadata that has no address here is left to the other side', async () => {
    await online();
    setMetadata([{ key: 'endpoint', value: 'db.corp.local:5432' }]);
    const report = await proved('target', scene(both(), { dns: namesOf({ addresses: unknownName }) }));
    assert.deepEqual([report.result, /run this where the target is/.test(report.seen)], ['skipped', true]);
  });

  it('a signal ends it in the middle, with its reason, and no socket is left', async () => {
    bed.emulator.faults.blackHole();
    const controller = new AbortController();
    const running = diagnose(scene(both(), { signal: controller.signal }));
    controller.abort(new Error('Ctrl-C'));
    await assert.rejects(running, /Ctrl-C/);
  });

  it('a relay that never answers is given up after the limit, at the step that it is', async () => {
    bed.emulator.faults.blackHole();
    const network = { loopbackCa: bed.emulator.caPem, connectTimeoutMs: 200 };
    const reports = await diagnose(scene(both(), { network }));
    const failure = firstFailure([...reports.values()]);
    assert.deepEqual([failure?.proof, failure?.error.code], ['tls', 'HCM_CONNECT_TIMEOUT']);
  });

  it('without a connection only the machine is looked at', async () => {
    const reports = await diagnose(scene([]));
    assert.deepEqual(outlineOf(reports.values()), ['machine: ok']);
  });
});
