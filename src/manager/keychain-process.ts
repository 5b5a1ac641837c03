/**
 * The keychain of this user, asked by a process of its own: the native library waits for a keychain that is locked or
 * hangs as long as that takes, and holds up whoever called it. A process can be ended. It runs while it is asked, and
 * a little longer.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { HcmError } from '../protocol/errors.ts';
import { redact } from '../protocol/redact.ts';
import type { Clock } from '../tunnel/clock.ts';

/** Somebody may be typing a password into the keychain's own window; `hcm add` waits 15 s for its answer. */
const LIMIT_MS = 10_000;
/** Commands come in bursts; a start takes a tenth of a second. */
const IDLE_MS = 10_000;
/** After a keychain that did not answer: until then nobody waits for it again. */
const PAUSE_MS = 15_000;
const SHOWN_CHARS = 200;
/**
 * What finds a keychain and its window. The rest stays here: options of ours, such as a loader, and keys, which may lie in
 * a variable of any name that an hcm.yaml speaks of.
 */
const PASSED_ON =
  /^(?:PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|DBUS_\w+|XDG_\w+|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|GNOME_KEYRING_\w+|SystemRoot|SystemDrive|windir|USERPROFILE|USERNAME|USERDOMAIN|APPDATA|LOCALAPPDATA|ProgramData|TEMP|TMP)$/i;

/**
 * What runs there. Secret Service and nothing else on Linux: the library would fall back to the kernel's keyring, which
 * forgets at the next start of the machine.
 */
const SCRIPT = `
let Entry, broken;
try { ({ Entry } = require(process.argv[1])); } catch (error) { broken = error; }
const answer = ({ id, act, service, account, secret }) => {
  const reply = { id };
  try {
    if (broken) throw broken;
    const entry = new Entry(service, account, { linux: { store: 'secret-service' } });
    if (act === 'save') entry.setPassword(secret);
    else if (act === 'remove') entry.deleteCredential();
    else reply.secret = entry.getPassword() ?? undefined;
  } catch (error) { reply.error = String(error && error.message); }
  process.stdout.write(JSON.stringify(reply) + '\\n');
};
let rest = '';
process.stdin.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\\n');
  rest = lines.pop();
  for (const line of lines) answer(JSON.parse(line));
});
`;

export interface KeychainProcessOptions {
  /** The program node. */
  node: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Path of the native package; throws when it is not installed. Asked at the first use. */
  findPackage: () => string;
  clock: Clock;
  limitMs?: number;
}

export interface KeychainRequest {
  readonly act: 'load' | 'save' | 'remove';
  readonly service: string;
  readonly account: string;
  readonly secret?: string;
}

interface Waiting {
  readonly resolve: (secret: string | undefined) => void;
  readonly reject: (error: HcmError) => void;
  /** Ends its time limit. */
  readonly done: () => void;
}

export class KeychainProcess {
  readonly #options: KeychainProcessOptions;
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | undefined;
  #lastId = 0;
  #stayIdle: () => void = () => undefined;
  #paused: { error: HcmError; untilMs: number } | undefined;

  constructor(options: KeychainProcessOptions) {
    this.#options = options;
  }

  /** Resolves with the secret of `load`, undefined when there is none. @throws HcmError HCM_KEYCHAIN_UNAVAILABLE. */
  ask(request: KeychainRequest): Promise<string | undefined> {
    const { clock, limitMs = LIMIT_MS } = this.#options;
    if (this.#paused && clock.monotonicMs() < this.#paused.untilMs) return Promise.reject(this.#paused.error);
    this.#paused = undefined;
    return new Promise((resolve, reject) => {
      const { stdin } = this.#start();
      const id = (this.#lastId += 1);
      this.#stayIdle();
      const done = clock.setTimer(limitMs, () => this.#hangs(limitMs));
      this.#waiting.set(id, { resolve, reject, done });
      stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  }

  /** Ends it; what was asked is answered with an error. */
  close(): void {
    this.#end(unavailable('the manager ends'));
  }

  #start(): ChildProcess {
    if (this.#child) return this.#child;
    const { node, env } = this.#options;
    const child = spawn(node, ['--input-type=commonjs', '-e', SCRIPT, this.#package()], {
      env: Object.fromEntries(Object.entries(env).filter(([name]) => PASSED_ON.test(name))),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#child = child;
    const over = (why: string) => this.#child === child && this.#end(unavailable(why));
    child.once('error', (error) => over(error.message));
    child.once('exit', (status, signal) => over(`its process ended (${signal ?? status})`));
    child.stdin.on('error', () => undefined);
    readLines(child.stdout, (line) => this.#answered(line));
    return child;
  }

  #package(): string {
    try {
      return this.#options.findPackage();
    } catch {
      throw unavailable('the package @napi-rs/keyring is not installed');
    }
  }

  #answered(line: string): void {
    const { id = 0, secret, error } = replyIn(line);
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.done();
    if (error === undefined) waiting.resolve(secret);
    else waiting.reject(unavailable(redact(error).split('\n', 1).join().slice(0, SHOWN_CHARS), true));
    if (this.#waiting.size > 0) return;
    this.#stayIdle = this.#options.clock.setTimer(IDLE_MS, () => this.close());
  }

  #hangs(limitMs: number): void {
    const { clock } = this.#options;
    const error = unavailable(`it did not answer within ${limitMs / 1000} s; is it locked?`);
    this.#paused = { error, untilMs: clock.monotonicMs() + PAUSE_MS };
    this.#end(error);
  }

  #end(error: HcmError): void {
    const child = this.#child;
    this.#child = undefined;
    this.#stayIdle();
    for (const { reject, done } of this.#waiting.values()) {
      done();
      reject(error);
    }
    this.#waiting.clear();
    child?.kill('SIGKILL');
  }
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
}

/** A library may print something of its own in between: that is no answer. */
function replyIn(line: string): { id?: number; secret?: string; error?: string } {
  try {
    return Object(JSON.parse(line)) as ReturnType<typeof replyIn>;
  } catch {
    return {};
  }
}

/** `refused`: the keychain itself said no, so nothing has changed in it. */
function unavailable(why: string, refused = false): HcmError {
  const text = `The keychain of this user cannot be used: ${why.replace(/\.$/, '')}.`;
  return new HcmError('HCM_KEYCHAIN_UNAVAILABLE', text, { retryable: true, details: { refused } });
}
