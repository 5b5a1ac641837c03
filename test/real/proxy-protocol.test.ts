// The PROXY header as real servers read it: nginx and HAProxy, which refuse a connection without one.
import assert from 'node:assert/strict';
import { HcmPath, type HcmProcess } from './hcm-path.ts';
import { relayedServer } from './http/relay-http.ts';
import { startHaproxy, type HaproxyServer } from './servers/haproxy.ts';
import { startNginx, type NginxServer } from './servers/nginx.ts';
import { pollUntil } from './servers/process.ts';
import { runCommand, tryCommand } from './servers/run-command.ts';

const FLAGS = ['--proxy-protocol', 'v2'];

describe('the PROXY protocol', () => {
  let path: HcmPath;

  beforeEach(async () => {
    path = await HcmPath.create();
    await path.startEmulator(['main']);
  });
  afterEach(() => path.stop());

  /** What the target says of its client to a curl that comes through `hcm forward`. */
  async function askByForward(urlPath: string): Promise<string> {
    const port = await path.forward('main');
    return (await runCommand('curl', ['-fsS', `http://127.0.0.1:${port}${urlPath}`])).stdout;
  }

  /** The last stream that the listener accepted: the sender as the relay saw it, and the id. */
  async function accepted(listener: HcmProcess): Promise<{ address: string; port: string; stream: string }> {
    const all = () => listener.events.filter(({ event }) => event === 'accepted');
    await pollUntil(() => all().length > 0, { what: 'the stream' });
    const event = all().at(-1);
    const [, address = '', port = ''] = /^(.*):(\d+)$/.exec(String(event?.['remote'])) ?? [];
    return { address: address.replace(/^::ffff:/, ''), port, stream: String(event?.['stream']) };
  }

  /** What the target says of its client to a curl that asks the relay itself, from an address of its own. */
  async function askRelay(urlPath: string, from: string): Promise<string> {
    const { origin, prefix, caFile, headers } = relayedServer(path, 'main');
    const token = `ServiceBusAuthorization: ${headers?.['ServiceBusAuthorization']}`;
    const tls = ['--ipv4', '--interface', from, '--cacert', String(caFile)];
    return (await runCommand('curl', ['-fsS', ...tls, '-H', token, `${origin}${prefix}${urlPath}`])).stdout;
  }

  describe('to nginx', () => {
    let nginx: NginxServer;
    beforeEach(async () => (nginx = await startNginx({ proxyProtocol: true })));
    afterEach(() => nginx.stop());

    it('names the sender of a stream', async () => {
      const listener = await path.listen('main', `127.0.0.1:${nginx.port}`, FLAGS);
      const answer = await askByForward('/client');
      const { address, port } = await accepted(listener);
      assert.equal(answer, `${address} ${port}\n`);
    });

    it('names the sender of each relayed request, wherever it asks from', async () => {
      await path.listen('main', `http://127.0.0.1:${nginx.port}`, FLAGS);
      for (const from of ['127.0.0.8', '127.0.0.9'])
        assert.match(await askRelay('/client', from), new RegExp(`^${from} \\d+\\n$`));
    });

    it('is what such a server waits for: without it, nothing is answered', async () => {
      await path.listen('main', `127.0.0.1:${nginx.port}`);
      const port = await path.forward('main');
      const { status } = await tryCommand('curl', ['-sS', `http://127.0.0.1:${port}/client`]);
      assert.notEqual(status, 0);
    });
  });

  describe('to HAProxy', () => {
    let haproxy: HaproxyServer;
    beforeEach(async () => (haproxy = await startHaproxy()));
    afterEach(() => haproxy.stop());

    const targets: [string, () => string][] = [
      ['by TCP', () => `127.0.0.1:${haproxy.port}`],
      ['by a Unix socket', () => `unix:${haproxy.socketPath}`],
    ];
    it('names the sender of each relayed request, and the request', async () => {
      const listener = await path.listen('main', `http://127.0.0.1:${haproxy.port}`, FLAGS);
      const [address, port, id] = (await askRelay('/', '127.0.0.8')).trim().split(' ');
      assert.equal(address, '127.0.0.8');
      assert.ok(Number(port) > 0);
      const served = () => listener.events.find(({ event }) => event === 'request');
      await pollUntil(() => served() !== undefined, { what: 'the event of the request' });
      assert.equal(id, served()?.['stream']);
    });

    for (const [how, target] of targets) {
      it(`names the sender and the stream ${how}`, async () => {
        const listener = await path.listen('main', target(), FLAGS);
        const answer = await askByForward('/');
        const { address, port, stream } = await accepted(listener);
        assert.equal(answer, `${address} ${port} ${stream}\n`);
      });
    }
  });
});
