// Runs one real client command (psql, redis-cli, curl, ssh ...) to its end, and fails with what it said.
import { spawn } from 'node:child_process';
import { credentialsOf } from './process.ts';

const COMMAND_TIMEOUT_MS = 120_000;

export interface CommandOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Written to its stdin, which is then closed. */
  input?: string | Buffer;
  /** The unprivileged user to run as when we are root. */
  user?: string;
  timeoutMs?: number;
}

export interface CommandResult {
  stdout: string;
  stderr: string;
}

/** Resolves with the output when the command ends with status 0; rejects with status and output otherwise. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { status, signal, stdout, stderr } = await tryCommand(command, args, options);
  if (status === 0) return { stdout, stderr };
  throw new Error(`${command} ${args.join(' ')} ended with ${signal ?? String(status)}:\n${stdout}${stderr}`);
}

/** The same, but any exit status is an answer. Rejects only when the command cannot be started. */
export function tryCommand(
  command: string,
  args: readonly string[],
  { env, cwd, input, user, timeoutMs = COMMAND_TIMEOUT_MS }: CommandOptions = {},
): Promise<CommandResult & { status: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      ...(env === undefined ? {} : { env }),
      ...(cwd === undefined ? {} : { cwd }),
      ...(user === undefined ? {} : credentialsOf(user)),
    });
    const output = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ ...output, status, signal }));
    child.stdin?.on('error', () => {}); // a command that ends before it has read everything
    child.stdin?.end(input);
  });
}
