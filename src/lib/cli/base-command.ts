/**
 * What all commands have in common: global flags, the two outputs, and one way to fail. oclif's own way prints the
 * whole chain of causes, secrets in it too, and exits 1 with --json whatever the error says; it is replaced here.
 */
import { Command } from '@oclif/core/command';
import type { Config } from '@oclif/core/config';
import { boolean } from '@oclif/core/flags';
import { HcmError } from '../../protocol/errors.ts';
import { presentError } from './error-presenter.ts';
import { Output } from './output.ts';
import { usageError } from './usage-error.ts';

/** A command class, as `main` starts it. */
export interface CommandClass {
  new (argv: string[], config: Config): BaseCommand;
}

export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;

  /** Prints events, one a line with --json, and ends with an `error` event when it fails. */
  static longRunning = false;
  /** Takes `-- COMMAND` behind its own arguments. */
  static takesCommand = false;
  /** stdout carries the bytes of the connection. */
  static streamsStdout = false;

  static override baseFlags = {
    json: boolean({
      description: 'Print JSON for programs instead of text for people.',
      helpGroup: 'GLOBAL',
    }),
    'no-input': boolean({
      description: 'Never ask; fail when something is missing.',
      helpGroup: 'GLOBAL',
      env: 'HCM_NO_INPUT',
    }),
    quiet: boolean({
      char: 'q',
      description: 'Say nothing but the answer and errors.',
      helpGroup: 'GLOBAL',
      exclusive: ['verbose'],
    }),
    verbose: boolean({ char: 'v', description: 'Say more about what happens.', helpGroup: 'GLOBAL' }),
  };

  /** COMMAND and its arguments, from behind `--`. */
  command: readonly string[] | undefined;
  /** The exit status of a run that did not fail. */
  exitStatus = 0;
  #output: Output | undefined;

  /** Created at first use: whether stdout is free is known only then. */
  get output(): Output {
    const given = (...names: string[]) => names.some((name) => this.argv.includes(name));
    return (this.#output ??= new Output({
      stdoutTaken: this.settings.streamsStdout || this.command !== undefined,
      quiet: given('--quiet', '-q'),
      verbose: given('--verbose', '-v'),
      cloud: flagValue(this.argv, '--cloud'),
    }));
  }

  protected get settings(): { longRunning: boolean; takesCommand: boolean; streamsStdout: boolean } {
    return this.ctor as unknown as typeof BaseCommand;
  }

  /** Runs the command to its end. Resolves with the exit status; does not reject. */
  async start(command: readonly string[] | undefined): Promise<number> {
    this.command = command;
    try {
      this.checkCommand();
      await this.run();
      return this.exitStatus;
    } catch (error) {
      return this.fail(error);
    }
  }

  /** oclif calls these two when a command is run by other means than `start`. */
  override catch(error: Error): Promise<void> {
    process.exitCode = this.fail(error);
    return Promise.resolve();
  }

  override toErrorJson(error: unknown): unknown {
    return error instanceof HcmError ? { code: error.code } : {};
  }

  /** Presents the error. Returns the exit status that belongs to it. */
  fail(error: unknown): number {
    return presentError(usageError(error, { id: this.id, flagNames: this.flagNames }), this.output, {
      json: this.jsonEnabled(),
      longRunning: this.settings.longRunning,
    });
  }

  private get flagNames(): string[] {
    return Object.keys({ ...this.ctor.baseFlags, ...this.ctor.flags });
  }

  private checkCommand(): void {
    if (this.command === undefined) return;
    if (!this.settings.takesCommand) {
      throw new HcmError('HCM_USAGE', `hcm ${this.id?.replaceAll(':', ' ') ?? ''} takes no "-- COMMAND".`);
    }
    if (this.command.length === 0) throw new HcmError('HCM_USAGE', 'No command stands behind "--".');
  }
}

/** Before, and without, the parser: an error of it must be presented, too. */
function flagValue(argv: readonly string[], flag: string): string | undefined {
  const at = argv.findIndex((text) => text === flag || text.startsWith(`${flag}=`));
  return argv[at] === flag ? argv[at + 1] : argv[at]?.slice(flag.length + 1);
}
