// The wizard as a person meets it: a real terminal (tmux), keys, and the screens that come of them; the emulator is
// its Azure.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { HcmPath, type HcmProcess } from './hcm-path.ts';
import { runCommand } from './servers/run-command.ts';
import { TerminalScreen } from './terminal-screen.ts';

/** What the screen shows, and what one does then: text is typed, then the keys are pressed. */
interface Step {
  shows: string;
  type?: string;
  keys: readonly string[];
}

describe('hcm setup in a terminal', () => {
  let path: HcmPath;
  let emulator: HcmProcess;
  let server: Server;
  let target: string;
  let screen: TerminalScreen | undefined;

  before(async () => {
    path = await HcmPath.create();
    emulator = await path.run(['emulator', 'start', '--port', '0'], 'ready');
    const ready = emulator.events.find(({ event }) => event === 'ready');
    // A cloud that is not known to be the emulator has no sign-in of its own.
    const [node, args] = path.commandLine(['cloud', 'add', 'lab', '--endpoint', String(ready?.['arm'])]);
    await runCommand(node, args, { env: env() });
    server = createServer((_, answer) => answer.end('hello from the target'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    target = `127.0.0.1:${address.port}`;
  });
  after(async () => {
    server.close();
    await path.stop();
  });
  afterEach(() => screen?.close());

  /** Somebody sits there, with no browser and no sign-in of the az CLI. */
  function env(): NodeJS.ProcessEnv {
    const own: NodeJS.ProcessEnv = { ...path.env, HCM_CLOUD: 'lab', AZURE_CONFIG_DIR: path.directory };
    for (const name of ['CI', 'HCM_NO_INPUT', 'DISPLAY', 'WAYLAND_DISPLAY', 'WSL_DISTRO_NAME', 'TMUX']) {
      delete own[name];
    }
    return own;
  }
  async function start(...args: string[]): Promise<TerminalScreen> {
    const [node, all] = path.commandLine(['setup', ...args]);
    screen = await TerminalScreen.open([node, ...all], env());
    return screen;
  }
  async function answer(on: TerminalScreen, steps: readonly Step[]): Promise<void> {
    for (const { shows, type, keys } of steps) {
      await on.shows(shows);
      if (type !== undefined) await on.type(type);
      await on.press(...keys);
    }
  }
  const armWrites = () =>
    emulator.events.filter(
      ({ event, write, status }) => event === 'arm' && write === true && Number(status) < 400,
    ).length;

  const STEPS = (): Step[] => [
    { shows: '? Which app is to reach it?', type: 'local-a', keys: ['Enter'] },
    { shows: '? Which slot of local-app?', keys: ['Down', 'Enter'] },
    { shows: '? What is to be reached? (HOST:PORT)', type: target, keys: ['Enter'] },
    { shows: '? Which namespace?', keys: ['Down', 'Enter'] },
    { shows: '? Name of the new namespace? (local-app-relay)', keys: ['Enter'] },
    { shows: '? Which resource group?', type: 'new', keys: ['Enter'] },
    { shows: '? Name of the new resource group? (hcm-relay)', keys: ['Enter'] },
    { shows: '? Which location?', type: 'northe', keys: ['Enter'] },
    { shows: '? Name of the hybrid connection?', keys: ['Enter'] },
    { shows: '? Where will the listener run?', keys: ['Enter'] },
    { shows: '? Do it? (Y/n)', keys: ['Enter'] },
  ];

  it('signs in where nobody is, and whoever leaves then stays signed in', async () => {
    const on = await start();
    const first = await on.shows('? How do you want to sign in?');
    assert.match(first, /Nothing is changed before you say yes\. Ctrl-C leaves at any question\./);
    await on.press('Enter');
    await on.shows('Signed in to lab as developer@local.localhost. Subscription: Local');
    await on.shows('? Which app');
    await on.press('C-c');
    await on.shows('nothing was changed. You stay signed in');
    await on.shows('ended with 130');
  });

  for (let left = 0; left < 11; left += 1) {
    it(`Ctrl-C at question ${left + 1} of 11 changes nothing, and says so`, async () => {
      const before = armWrites();
      const on = await start();
      const steps = STEPS();
      await answer(on, steps.slice(0, left));
      await on.shows(steps[left]?.shows ?? '');
      await on.press('C-c');
      await on.shows('The wizard was left, and nothing was changed.');
      await on.shows('ended with 130');
      assert.equal(armWrites(), before);
    });
  }

  it('Ctrl-D leaves, too', async () => {
    const on = await start();
    await on.shows('? Which app');
    await on.press('C-d');
    await on.shows('nothing was changed');
    await on.shows('ended with 130');
  });

  it('a list is narrowed down by typing, and what is typed wrong is told at once', async () => {
    const on = await start();
    await on.shows('? Which app');
    await on.type('func');
    const narrowed = await on.shows(/Which app is to reach it\? func\n❯ local-func +Functions app\n\s*\n/);
    assert.doesNotMatch(narrowed, /local-app/);
    await on.press('Enter');
    await on.shows('? What is to be reached?');
    await on.type('db.corp.local');
    await on.press('Enter');
    await on.shows('> The target "db.corp.local" cannot be used: it has no port');
    await on.type(':5432');
    await on.shows('? What is to be reached? (HOST:PORT) db.corp.local:5432');
    await on.press('C-c');
    await on.shows('ended with 130');
  });

  it('goes from the first question to an app that reaches the target', async () => {
    const before = armWrites();
    const on = await start();
    const steps = STEPS();
    await answer(on, steps.slice(0, -1));
    const shown = await on.shows('? Do it?');
    const port = target.split(':')[1] ?? '';
    const connection = `local-app-relay/local-${port}`;
    for (const line of [
      `✔ ${target} answers from here`,
      'hcm namespace create local-app-relay --resource-group hcm-relay --location northeurope --create-resource-group',
      `hcm connection create ${connection} --target ${target}`,
      `hcm app attach local-app ${connection} --slot staging`,
      `hcm listen ${connection}`,
    ]) {
      assert.ok(shown.includes(line), `no "${line}" in\n${shown}`);
    }
    assert.equal(armWrites(), before);
    await on.press('Enter');
    await on.shows(`✔ attached it to local-app (slot staging)`);
    await on.shows(/online local-app-relay\.servicebus\.localhost\/local-\d+ -> 127\.0\.0\.1:\d+/);
    assert.ok(armWrites() > before);

    const forward = await path.run(['forward', connection, '--cloud', 'lab'], 'ready');
    const bind = forward.events.find(({ event }) => event === 'ready')?.['bind'];
    const response = await fetch(`http://${String(bind)}/`, { headers: { connection: 'close' } });
    assert.equal(await response.text(), 'hello from the target');
    await on.press('C-c');
    await on.shows('ended with 0');
  });

  it('the one command that it shows does the same, asks nothing, and changes nothing the second time', async () => {
    const [app, place] = [
      ['--app', 'local-func'],
      ['--namespace', 'local-relay', '--no-listen', '--yes'],
    ];
    const args = [...app, '--target', target, ...place];
    const first = await start(...args);
    await first.shows('local-func reaches');
    await first.shows('ended with 0');
    await first.close();
    const before = armWrites();
    const second = await start(...args);
    const seen = await second.shows('ended with 0');
    assert.match(seen, /✔ local-func had it, with a good key/);
    assert.doesNotMatch(seen, /\? /);
    assert.equal(armWrites(), before);
  });
});
