// hcm list --watch in a real terminal (tmux): drawn in its place, cut to its width, alive over a restart of the
// manager, and gone without a trace at Ctrl-C.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { programFile, type HcmProcess } from '../e2e/hcm-process.ts';
import { answerReversed, portOf, RelayHome, startServer } from '../e2e/relay-home.ts';
import { TerminalScreen } from './terminal-screen.ts';

describe('hcm list --watch, in a terminal', function () {
  this.timeout(60_000);
  const home = new RelayHome();
  let target: Server;
  let manager: HcmProcess;
  let screen: TerminalScreen | undefined;

  before(async () => {
    target = await startServer(answerReversed);
    await home.startEmulator('db');
    const entry = (connection: string, port: number) =>
      `    - connection: ${connection}\n      connectionStringFile: db-listen.txt\n      target: 127.0.0.1:${port}\n`;
    writeFileSync(home.path('hcm.yaml'), `manager:\n  listeners:\n${entry('localhost/db', portOf(target))}`);
    manager = await startManager();
    await manager.event('state', (line) => line['state'] === 'online');
  });
  afterEach(() => screen?.close());
  after(async () => {
    target.close();
    await home.remove();
  });

  async function startManager(): Promise<HcmProcess> {
    const started = home.start(['service', 'run', '--file', 'hcm.yaml', '--no-http', '--json']);
    await started.event('ready');
    return started;
  }
  async function open(...args: string[]): Promise<TerminalScreen> {
    screen = await TerminalScreen.open([process.execPath, programFile, ...args], home.env);
    return screen;
  }

  it('says that it waits, goes on with the next manager, and ends with 0', async () => {
    const terminal = await open('list', '--watch');
    const text = await terminal.shows(/localhost\/db +listener +online/);
    assert.match(text, /^hcm list {2}\d\d:\d\d:\d\d {2}Ctrl-C ends/);
    assert.equal(text.match(/localhost\/db/g)?.length, 1, 'drawn in its place, not below');
    manager.kill('SIGKILL');
    await manager.ended;
    const waiting = await terminal.shows(/Waiting for it/);
    assert.match(waiting, /localhost\/db/, 'what was known stays');
    manager = await startManager();
    const again = await terminal.shows(/Ctrl-C ends[^]*localhost\/db +listener +online/);
    assert.equal(again.match(/localhost\/db/g)?.length, 1);
    await terminal.press('C-c');
    const after = await terminal.shows('ended with 0');
    assert.doesNotMatch(after, /localhost\/db/, 'the picture is gone');
  });

  it('is cut to the width of the terminal', async () => {
    const terminal = await open('list', '--watch');
    await terminal.shows(/listener +online/);
    target.close();
    const { process: sender, port } = await home.forward('db');
    // Its reason is longer than the terminal is wide.
    connect(port, '127.0.0.1').on('error', () => undefined);
    const text = await terminal.shows(/^localhost\/db +listener +degraded .* refused .*…$/m);
    for (const line of text.split('\n')) assert.ok(line.length <= 110, line);
    assert.match(text, /^Next for localhost\/db: /m);
    await terminal.press('C-c');
    await terminal.shows('ended with 0');
    await sender.interrupt();
  });
});
