/**
 * The two outputs of a command: the answer on stdout, the talk on stderr. Redacts all that goes through it, as the
 * last line of defence; the one exception is asked for by name. Lets nothing steer the terminal. Knows nothing about what
 * is written.
 */
import { Chalk, supportsColorStderr, type ChalkInstance } from 'chalk';
import { printable } from '../../protocol/printable.ts';
import { redact } from '../../protocol/redact.ts';
import { ProgressLine, type ProgressStream } from './progress.ts';

/** A command that takes --cloud and has none yet: all of the text, or its end behind a colon. */
const AZURE_COMMAND =
  /^(?:[^:]+: )?hcm (?!(?:emulator|cloud|help|dev|import|list|show|status|logs|restart|remove|test|dashboard)\b|export manager\b|service (?!run\b))(?!.* --(?:help|cloud)\b)[^(,;]+$/;

export interface OutputOptions {
  stdout?: NodeJS.WritableStream;
  stderr?: ProgressStream;
  env?: Readonly<Record<string, string | undefined>>;
  /** stdout belongs to somebody else (`-- COMMAND`, `connect`): answers go to stderr. */
  stdoutTaken?: boolean;
  /** Only answers and errors. */
  quiet?: boolean;
  verbose?: boolean;
  /** The cloud that a flag named: the next commands must name it, too. */
  cloud?: string | undefined;
}

export class Output {
  /** Colours for stderr; without effect where there is no terminal or NO_COLOR is set. */
  readonly paint: ChalkInstance;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly #cloud: string | undefined;
  readonly #answers: NodeJS.WritableStream;
  readonly #talk: NodeJS.WritableStream;
  readonly #progress: ProgressLine;

  constructor(options: OutputOptions = {}) {
    const { stdout = process.stdout, stderr = process.stderr, env = process.env } = options;
    this.#talk = stderr;
    this.#progress = new ProgressLine(stderr);
    this.#answers = options.stdoutTaken ? stderr : stdout;
    this.quiet = options.quiet ?? false;
    this.verbose = options.verbose ?? false;
    this.#cloud = options.cloud;
    this.paint = new Chalk({ level: colorLevel(stderr, env) });
  }

  /** A line of the answer. */
  answer(text: string): void {
    this.answerWithSecrets(this.#fit(text));
  }

  /** Text of the answer that shows secrets on purpose. */
  answerWithSecrets(text: string): void {
    this.#write(this.#answers, text);
  }

  /** One JSON document, on one line. */
  json(value: object): void {
    this.jsonWithSecrets(redactAll(value) as object);
  }

  /** Only for answers whose point is a secret: `key show`, `token`, the emulator's own throw-away keys. */
  jsonWithSecrets(value: object): void {
    this.#write(this.#answers, JSON.stringify(value));
  }

  /** What happens meanwhile; silent with --quiet. */
  say(text: string): void {
    if (!this.quiet) this.complain(text);
  }

  /** The command to type next, behind what there is to say about it. */
  next(command: string, about = ''): void {
    this.say(`${about}Next: ${this.inSameCloud(command)}`);
  }

  /** A command to type next, good for the cloud that this one was told; other advice comes back as it is. */
  inSameCloud(command: string): string {
    if (this.#cloud === undefined || !AZURE_COMMAND.test(command)) return command;
    return `${command} --cloud ${this.#cloud}`;
  }

  /** What is being done now, until something else is written; silent with --quiet. */
  progress(text: string): void {
    if (!this.quiet) this.#progress.show(printable(redact(text)));
  }

  /** Before somebody else writes to the terminal. */
  wipeProgress(): void {
    this.#progress.wipe();
  }

  warn(text: string): void {
    this.say(`${this.paint.yellow('Warning:')} ${this.inSameCloud(text)}`);
  }

  /** An error for a person: shown with --quiet, too. */
  complain(text: string): void {
    this.#write(this.#talk, this.#fit(text));
  }

  /** Painted before, perhaps. */
  #fit(text: string): string {
    return printable(redact(text), { colors: this.paint.level > 0 });
  }

  #write(stream: NodeJS.WritableStream, text: string): void {
    this.#progress.wipe();
    stream.write(`${text}\n`);
  }
}

function colorLevel(
  stderr: { isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): 0 | 1 | 2 | 3 {
  // https://no-color.org: present and not empty. chalk itself does not look at it.
  if (env['NO_COLOR']) return 0;
  if (env['FORCE_COLOR'] === undefined && !stderr.isTTY) return 0;
  return supportsColorStderr ? supportsColorStderr.level : 0;
}

function redactAll(value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map(redactAll);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactAll(inner)]));
}
