import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Server } from 'node:net';
import { answerReversed, portOf, RelayHome, startServer } from './relay-home.ts';

describe('hcm connect', () => {
  const home = new RelayHome();
  let reversing: Server;
  let greeting: Server;

  before(async () => {
    reversing = await startServer(answerReversed);
    // Speaks first and ends first, as the far side of a half-closed connection may.
    greeting = await startServer((socket) => socket.end('hello'));
    await home.startEmulator('back', 'hi', 'nobody');
    await Promise.all([home.listen('back', reversing), home.listen('hi', greeting)]);
  });
  after(async () => {
    reversing.close();
    greeting.close();
    await home.remove();
  });

  const connect = (name: string, ...args: string[]) =>
    home.start(['connect', '--connection-string-file', `${name}-send.txt`, ...args]);

  it('passes the end of stdin on, and the answer still comes', async () => {
    const question = randomBytes(200_000);
    const process = connect('back');
    const chunks: Buffer[] = [];
    process.child.stdout
      .setEncoding('latin1')
      .on('data', (text: string) => chunks.push(Buffer.from(text, 'latin1')));
    process.child.stdin.end(question);
    const { status, stderr } = await process.ended;
    assert.deepEqual([status, stderr], [0, '']);
    assert.ok(Buffer.concat(chunks).equals(Buffer.from(question).reverse()));
  });

  it('when the far side has ended, stdin may still be sent', async () => {
    const process = connect('hi');
    await process.answers('hello');
    process.child.stdin.end('more');
    const { status, stdout } = await process.ended;
    assert.deepEqual([status, stdout], [0, 'hello']);
  });

  it('ends with 4 and nothing on stdout when there is no listener', async () => {
    const { status, stdout, stderr } = await connect('nobody').ended;
    assert.deepEqual([status, stdout], [4, '']);
    assert.match(stderr, /HCM_NO_LISTENER/);
  });

  it('with --json, events are on stderr, ready first, the error last', async () => {
    const { status, stdout, stderr } = await connect('nobody', '--json').ended;
    const [first, second] = stderr
      .split('\n')
      .map((line) => JSON.parse(line || '{}') as Record<string, unknown>);
    assert.deepEqual(
      [first?.['event'], first?.['connection'], second?.['event']],
      ['ready', 'localhost/nobody', 'opening'],
    );
    const last = JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as {
      event: string;
      error: { code: string };
    };
    assert.deepEqual([status, stdout, last.event, last.error.code], [4, '', 'error', 'HCM_NO_LISTENER']);
  });

  it('Ctrl-C before the stream is open ends at once with 0, without an error', async () => {
    const silent = await startServer(() => undefined);
    const string = `Endpoint=sb://localhost:${portOf(silent)}/;SharedAccessKeyName=r;SharedAccessKey=a2V5;EntityPath=db`;
    const process = home.start(['connect', '--verbose', '--grace-period', '1h'], {
      HCM_CONNECTION_STRING: string,
    });
    await process.says('opening');
    const { status, stdout, stderr } = await process.interrupt();
    assert.deepEqual([status, stdout], [0, '']);
    assert.doesNotMatch(stderr, /Error|HCM_/);
    silent.close();
  });

  it('Ctrl-C ends our direction, and the answer still comes', async () => {
    const process = connect('back', '--verbose');
    process.child.stdin.write('abc');
    await process.says('open after');
    const ended = await process.interrupt();
    assert.deepEqual([ended.status, ended.stdout], [0, 'cba']);
  });

  it('Ctrl-C waits for the answer as long as it is told, be that longer than a timer of Node can be', async () => {
    const process = connect('back', '--verbose', '--grace-period', '30d');
    process.child.stdin.write('abc');
    await process.says('open after');
    const ended = await process.interrupt();
    assert.deepEqual([ended.status, ended.stdout], [0, 'cba']);
    assert.doesNotMatch(ended.stderr, /Warning/);
  });
});
