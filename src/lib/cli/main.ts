/**
 * Where the program starts and ends: finds the command, runs it, sets the exit status. Help of the whole program and
 * `--version` come from files alone; oclif is loaded for what needs it, since loading it doubles the start-up.
 */
import { findId, leadingWords, splitCommandLine, wantsHelp, writeOutFlags } from './argv.ts';
import type { BaseCommand } from './base-command.ts';
import { loadCommandList, type CommandList } from './command-list.ts';
import { loadPackage } from './package-file.ts';
import { endAtOnce, STOP_SIGNALS } from './stop-signals.ts';

export interface MainOptions {
  /** The folder with package.json. */
  root: string;
  /** Reads the commands from src/ instead of dist/. */
  fromSource?: boolean;
}

/** Runs the program to its end, the end of the process included. */
export async function main(options: MainOptions): Promise<void> {
  const program = new Program(options, process.argv.slice(2));
  let failing: Promise<number> | undefined;
  const end = async (status: number) => {
    // Ctrl-D at a question: nothing holds the process any more, and it ends before what follows.
    process.exitCode = status;
    // From here on a signal must not change the status.
    for (const signal of STOP_SIGNALS) process.off(signal, endAtOnce);
    await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
    process.exit((await failing) ?? status);
  };
  /** The first failure counts; telling about it may cause more. */
  const fail = (present: () => Promise<number>) => {
    if (failing) return;
    failing = present();
    void failing.then(end);
  };
  const crash = (error: unknown) => fail(() => program.fail(error));
  process.on('uncaughtException', crash).on('unhandledRejection', crash);
  program.onOutputError = (error) => {
    // The reader left (`hcm … | head`): a tunnel goes on, others are done soon.
    if (error.code !== 'EPIPE') fail(() => failOutput(error));
  };
  await end(await program.run().catch((error: unknown) => program.fail(error)));
}

class Program {
  readonly #options: MainOptions;
  readonly #own: readonly string[];
  readonly #command: readonly string[] | undefined;
  #running: BaseCommand | undefined;
  onOutputError: (error: NodeJS.ErrnoException) => void = () => undefined;

  constructor(options: MainOptions, argv: readonly string[]) {
    this.#options = options;
    ({ own: this.#own, command: this.#command } = splitCommandLine(argv));
  }

  /** Resolves with the exit status. */
  async run(): Promise<number> {
    this.#watchOutput();
    const own = this.#own;
    const [first] = own;
    if (first === '--version' || first === 'version') return this.#showVersion();
    const list = await loadCommandList(this.#options.root, this.#options.fromSource ?? false);
    if (first === 'help') return showHelp(own.slice(1), list);
    if (first === undefined || wantsHelp(own)) return showHelp(own, list);
    const found = findId(own, (id) => list.has(id));
    if (found) {
      // What `-- COMMAND` would have done is not done: there, a signal ends hcm as it ends any program.
      if (list.isLongRunning(found.id) && this.#command === undefined) {
        for (const signal of STOP_SIGNALS) process.on(signal, endAtOnce);
      }
      this.#running = await list.load(found.id, writeOutFlags(found.id, own.slice(found.words)));
      this.#watchOutput();
      return this.#running.start(this.#command);
    }
    const topic = findId(own, (id) => list.hasTopic(id));
    if (topic && topic.words === own.length) return list.showHelp(topic.id);
    throw await unknownCommand(own, list);
  }

  /** Presents an error that no command did, even a bug. Resolves with the exit status. */
  async fail(error: unknown): Promise<number> {
    if (this.#running) return this.#running.fail(error);
    const [{ presentError }, { Output }] = await Promise.all([
      import('./error-presenter.ts'),
      import('./output.ts'),
    ]);
    return presentError(error, new Output(), { json: this.#own.includes('--json'), longRunning: false });
  }

  /** Again after oclif is loaded: it throws what stdout complains of. */
  #watchOutput(): void {
    for (const stream of [process.stdout, process.stderr]) {
      stream
        .removeAllListeners('error')
        .on('error', (error: NodeJS.ErrnoException) => this.onOutputError(error));
    }
  }

  #showVersion(): number {
    const { name, version } = loadPackage(this.#options.root);
    const system = `${process.platform}-${process.arch}`;
    const text = this.#own.includes('--json')
      ? JSON.stringify({ version, system, node: process.version })
      : `${name}/${version} ${system} node-${process.version}`;
    process.stdout.write(`${text}\n`);
    return 0;
  }
}

async function showHelp(own: readonly string[], list: CommandList): Promise<number> {
  const found = findId(own, (id) => list.has(id) || list.hasTopic(id));
  if (found) return list.showHelp(found.id);
  if (leadingWords(own).length > 0) throw await unknownCommand(own, list);
  const { rootHelp } = await import('./root-help.ts');
  process.stdout.write(rootHelp(list.summaries, process.stdout));
  return 0;
}

async function unknownCommand(own: readonly string[], list: CommandList): Promise<Error> {
  const module = await import('./unknown-command.ts');
  return module.unknownCommand(own, list.summaries);
}

/** stdout itself cannot be written: whoever reads stderr must know, JSON or not. */
async function failOutput(error: NodeJS.ErrnoException): Promise<number> {
  const [{ presentError }, { Output }, { HcmError }] = await Promise.all([
    import('./error-presenter.ts'),
    import('./output.ts'),
    import('../../protocol/errors.ts'),
  ]);
  const failed = new HcmError('HCM_OUTPUT_FAILED', `The output could not be written: ${error.message}.`, {
    cause: error,
  });
  return presentError(failed, new Output(), { json: false, longRunning: false });
}

/** A pipe takes its last bytes after `write` returned. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) return resolve();
    // An error of an earlier write is told in the same turn of the loop, or the next.
    stream.write('', () => setImmediate(resolve));
  });
}
