/**
 * `-- COMMAND`: runs a program while a tunnel is up. It gets our terminal, none of our secrets, and the signals that
 * we get; its status becomes ours.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Output } from './output.ts';

/** Statuses of a shell for a command that cannot be run and one that is not there. */
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
const SIGNAL_BASE = 128;

/** What hcm takes from its environment and nobody else needs. A proxy's URL may hold a password. */
const OWN_SECRETS =
  /^HCM_(?:CONNECTION_STRING|PROXY|.*(?:PASSWORD|PASSPHRASE|SECRET|TOKEN|KEY|CREDENTIALS?))(?:_|$)/i;

export interface RunningCommand {
  /** Resolves with the status for our own exit. */
  readonly ended: Promise<number>;
  /** Passes on a signal that we got. */
  passOn(signal: NodeJS.Signals): void;
  kill(signal: NodeJS.Signals): void;
}

/** Starts the command. Never rejects: a command that cannot start has status 126 or 127. */
export function startCommand(
  command: readonly string[],
  extraEnv: Readonly<Record<string, string>>,
  output: Output,
): RunningCommand {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { stdio: 'inherit', env: { ...withoutSecrets(process.env), ...extraEnv } });
  return {
    ended: statusOf(child, file, output),
    passOn: (signal) => {
      // At a terminal, Ctrl-C reaches the whole process group: the command had it already.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    },
    kill: (signal) => void child.kill(signal),
  };
}

/** The environment without what is secret in it and ours. */
export function withoutSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OWN_SECRETS.test(name)));
}

function statusOf(child: ChildProcess, file: string, output: Output): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT';
      output.complain(`hcm: ${file}: ${missing ? 'there is no such command' : error.message}`);
      resolve(missing ? NOT_FOUND : NOT_EXECUTABLE);
    });
    child.once('exit', (status, signal) => {
      resolve(status ?? SIGNAL_BASE + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/** The names by which the command finds the tunnel. */
export function tunnelEnvironment(
  binds: readonly { name: string; bind: string; url?: string | undefined }[],
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [index, { name, bind, url }] of binds.entries()) {
    const parts = /^(?:udp:)?(.*):(\d+)$/.exec(bind);
    const own = {
      BIND: bind,
      ...(url === undefined ? {} : { URL: url }),
      ...(parts === null ? {} : { HOST: (parts[1] ?? '').replace(/^\[(.*)\]$/, '$1'), PORT: parts[2] ?? '' }),
    };
    for (const [key, value] of Object.entries(own)) {
      if (index === 0) env[`HCM_${key}`] = value;
      env[`HCM_${key}_${name.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}`] = value;
    }
  }
  return env;
}
