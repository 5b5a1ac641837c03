// A manager whose loop is stuck takes nobody in for a while. What the system says of its socket then is Linux's own word.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAnswered } from '../../src/manager/control/control-socket.ts';

describe('the control socket of a manager that is stuck', () => {
  it('counts as answered while too many wait to be let in', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hcm-full-'));
    const path = join(folder, 'control.sock');
    const stuck = createServer().listen({ path, backlog: 1 });
    await new Promise((resolve) => stuck.once('listening', resolve));
    // All in one turn of the loop: the server takes none of them before the last one has asked.
    const waiting = Array.from({ length: 4 }, () => connect(path).on('error', () => undefined));
    assert.equal(await isAnswered(path), true);
    for (const one of waiting) one.destroy();
    await new Promise((resolve) => stuck.close(resolve));
    await rm(folder, { recursive: true });
  });
});
