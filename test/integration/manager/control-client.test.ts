// What the client of the control API says of managers that are not there, not open, of another version, or dead.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ERROR_TABLE } from '../../../src/lib/error-table.ts';
import { ControlClient } from '../../../src/manager/control/control-client.ts';
import { HcmError, type ErrorCode } from '../../../src/protocol/errors.ts';

const NOBODY = 65_534;

describe('a client of the control API', () => {
  let folder: string;
  let path: string;
  let server: Server | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hcm-client-'));
    path = join(folder, 'control.sock');
  });
  afterEach(async () => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  async function serve(listener: RequestListener): Promise<ControlClient> {
    server = createServer(listener).listen(path);
    await once(server, 'listening');
    return new ControlClient(path, { answerLimitMs: 200 });
  }

  async function fails(call: Promise<unknown>, code: ErrorCode, status: number, says: RegExp): Promise<void> {
    const error: unknown = await call.then(
      () => assert.fail('it did not fail'),
      (failure: unknown) => failure,
    );
    assert.ok(error instanceof HcmError, String(error));
    assert.deepEqual([error.code, ERROR_TABLE[error.code].exitStatus], [code, status]);
    assert.match(error.message, says);
  }

  it('says that nobody is there', async () => {
    await fails(new ControlClient(path).list(), 'HCM_NOT_RUNNING', 7, /No manager runs here/);
  });

  it('says that it may not come in', async function () {
    if (process.platform === 'win32') return;
    const client = await serve((_request, response) => response.end('{}'));
    await chmod(folder, 0o700);
    await chmod(path, 0o000);
    // root may do everything: then another user asks.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(NOBODY);
    try {
      await fails(client.list(), 'HCM_FORBIDDEN', 3, /not open to this user/);
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  it('understands no other version, and says which', async () => {
    const client = await serve((_request, response) => {
      response.writeHead(404, { 'Hcm-Api-Version': '2' }).end('{"error":{"code":"HCM_LATER"}}');
    });
    await fails(client.describe(), 'HCM_MANAGER_VERSION', 7, /version 2 .* version 1/);
    const events = client.events(new AbortController().signal);
    await fails(events.next(), 'HCM_MANAGER_VERSION', 7, /version 2/);
  });

  it('takes another program for no manager', async () => {
    const client = await serve((_request, response) => response.end('<html>hello'));
    await fails(client.list(), 'HCM_MANAGER_VERSION', 7, /is no manager/);
  });

  it('does not wait for ever for one that hangs', async () => {
    const client = await serve(() => undefined);
    await fails(client.list(), 'HCM_NOT_RUNNING', 7, /takes calls and does not answer/);
    await fails(client.events(new AbortController().signal).next(), 'HCM_NOT_RUNNING', 7, /does not answer/);
  });

  it('waits longer for a test than for an answer', async () => {
    const held: (() => void)[] = [];
    const client = await serve(({ method }, response) => {
      if (method === 'POST') held.push(() => response.end('{"passed":true}'));
    });
    const testing = client.test('listen my-relay/db');
    // Begun after the test, over before it.
    await fails(client.list(), 'HCM_NOT_RUNNING', 7, /does not answer/);
    for (const answer of held) answer();
    assert.deepEqual(await testing, { passed: true });
  });

  for (const [how, last] of [
    ['ends', '\n'],
    ['is killed in the middle of a line', '{"event":"sta'],
  ] as const) {
    it(`has no more events once the manager ${how}`, async () => {
      const client = await serve((_request, response) => {
        response.write('{"event":"snapshot"}\n');
        response.write(last, () => response.destroy());
      });
      const seen: string[] = [];
      for await (const { event } of client.events(new AbortController().signal)) seen.push(event);
      assert.deepEqual(seen, ['snapshot']);
    });
  }

  it('stops following at once when it is told to', async () => {
    const client = await serve((_request, response) => void response.write('{"event":"snapshot"}\n'));
    const leaving = new AbortController();
    const events = client.events(leaving.signal);
    await events.next();
    const next = events.next();
    leaving.abort();
    assert.equal((await next).done, true);
  });
});
