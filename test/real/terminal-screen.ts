// A real terminal, by tmux: a program runs in it, keys are pressed, and what a person would see is read.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand } from './servers/run-command.ts';

const COLUMNS = 110;
const ROWS = 60;
const LOOK_EVERY_MS = 50;
const TIMEOUT_MS = 30_000;

export class TerminalScreen {
  readonly #directory: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(directory: string, env: NodeJS.ProcessEnv) {
    this.#directory = directory;
    this.#env = env;
  }

  /** Starts the program; once it has ended, the screen says `ended with STATUS`. */
  static async open(command: readonly string[], env: NodeJS.ProcessEnv): Promise<TerminalScreen> {
    const directory = await mkdtemp(join(tmpdir(), 'hcm-screen-'));
    const screen = new TerminalScreen(directory, env);
    const line = `trap : INT; ${command.map((word) => `'${word}'`).join(' ')}; echo ended with $?; exec cat`;
    await screen.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', `${COLUMNS}`, '-y', `${ROWS}`, line);
    return screen;
  }

  /** What is on it now. */
  async text(): Promise<string> {
    return this.#tmux('capture-pane', '-p', '-J');
  }

  /** Resolves with the screen once it shows the text. */
  async shows(text: string | RegExp): Promise<string> {
    const deadline = performance.now() + TIMEOUT_MS;
    for (;;) {
      const seen = await this.text();
      if (typeof text === 'string' ? seen.includes(text) : text.test(seen)) return seen;
      if (performance.now() > deadline) throw new Error(`the screen does not show ${String(text)}:\n${seen}`);
      await delay(LOOK_EVERY_MS);
    }
  }

  /** Letters, as they are. */
  async type(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', text);
  }

  /** Keys by tmux's names: Enter, Down, C-c. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux('send-keys', ...keys);
  }

  /** Ends whatever runs in it. */
  async close(): Promise<void> {
    await this.#tmux('kill-server').catch(() => undefined);
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #tmux(...args: string[]): Promise<string> {
    const { stdout } = await runCommand('tmux', ['-S', join(this.#directory, 'socket'), ...args], {
      env: { ...this.#env, TERM: 'xterm-256color', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' },
    });
    return stdout;
  }
}
