// One app reaches two private networks through one forward and a listener in each: what hybrid connections are for.
import assert from 'node:assert/strict';
import { HcmPath } from './hcm-path.ts';
import { startNetworkNamespaces, type NetworkNamespaces } from './servers/network-namespace.ts';
import { startProcess } from './servers/process.ts';
import { runCommand, tryCommand } from './servers/run-command.ts';

const TARGET_PORT = 8080;

describe('one app and two private networks', () => {
  let path: HcmPath;
  let networks: NetworkNamespaces;
  const targets: { stop(): Promise<void> }[] = [];

  beforeEach(async () => {
    path = await HcmPath.create();
    networks = await startNetworkNamespaces();
  });

  afterEach(async () => {
    await path.stop();
    await Promise.all(targets.splice(0).map((target) => target.stop()));
    await networks.stop();
  });

  it('reaches a target on the loopback of each network, and neither without the listener', async () => {
    await path.startEmulator(['first', 'second']);
    for (const name of ['first', 'second'] as const) {
      const network = networks[name];
      await network.reachHostLoopback(path.relayPort);
      const says = `require('http').createServer((q,a)=>a.end('${name}')).listen(${TARGET_PORT},'127.0.0.1')`;
      const [command, args] = network.commandLine(process.execPath, ['-e', says]);
      const url = `http://127.0.0.1:${TARGET_PORT}/`;
      const answers = async () =>
        (await tryCommand(...network.commandLine('curl', ['-fsS', url]))).status === 0;
      targets.push(await startProcess({ command, args, isReady: answers, env: path.env }));
      const flags = ['--connection-string-file', await path.stringFile(name, 'listener')];
      const listen = ['listen', ...flags, '--target', `127.0.0.1:${TARGET_PORT}`];
      await path.run(listen, 'online', (node, rest) => network.commandLine(node, rest));
    }
    const outside = await tryCommand('curl', ['-fsS', '--max-time', '2', `http://127.0.0.1:${TARGET_PORT}/`]);
    assert.notEqual(outside.status, 0, 'the targets must be out of reach from here');

    const files = await Promise.all([
      path.stringFile('first', 'sender'),
      path.stringFile('second', 'sender'),
    ]);
    const flags = files.flatMap((file) => ['--connection-string-file', file]);
    const forward = await path.run(['forward', 'first=127.0.0.1:0', 'second=127.0.0.1:0', ...flags], 'ready');
    const ready = forward.events.find(({ event }) => event === 'ready');
    const binds = ready?.['binds'] as { connection: string; bind: string }[];
    for (const name of ['first', 'second']) {
      const bind = binds.find(({ connection }) => connection.endsWith(name))?.bind;
      const { stdout } = await runCommand('curl', ['-fsS', `http://${bind}/`]);
      assert.equal(stdout, name);
    }
  });
});
