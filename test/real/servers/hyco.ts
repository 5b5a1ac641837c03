// Starts the drivers around Microsoft's unmodified hyco-ws and hyco-https (test/real/clients) and reads their event lines.
import { fileURLToPath } from 'node:url';
import { pollUntil, startProcess } from './process.ts';
import { tryCommand } from './run-command.ts';

export interface HycoOptions {
  /** The relay, as `wss://localhost:PORT`. */
  relayUri: string;
  /** The name of the hybrid connection. */
  path: string;
  keyName: string;
  key: string;
  /** The certificate authority to trust besides Node's own. */
  caFile?: string;
  /** Further settings of the driver by their environment names (test/real/clients/README.md). */
  settings?: Readonly<Record<`HYCO_${string}`, string>>;
}

/** One event line of a driver. */
export interface HycoEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface HycoListener {
  /** All events until now, in order. */
  readonly events: readonly HycoEvent[];
  /** Resolves with the first event of this name that the condition likes, past ones included. */
  waitFor(name: string, isWanted?: (event: HycoEvent) => boolean): Promise<HycoEvent>;
  /** Resolves with its exit status when it has ended. */
  readonly exited: Promise<number | null>;
  stop(): Promise<void>;
}

/** A message for the sender: text, or binary given in base64 or as a number of patterned bytes. */
export type HycoMessage = ({ text: string } | { base64: string } | { size: number }) & { binary?: boolean };

/** Resolves when hyco-ws is registered at the relay; echoes, or pumps to the target. */
export function startHycoListener(
  options: HycoOptions & { target?: { host: string; port: number } },
): Promise<HycoListener> {
  const { target } = options;
  const mode =
    target === undefined
      ? { HYCO_MODE: 'echo' }
      : { HYCO_MODE: 'pump', HYCO_TARGET_HOST: target.host, HYCO_TARGET_PORT: String(target.port) };
  return startListener(['--no-deprecation', driver('hyco-listener.cjs')], driverEnvironment(options, mode));
}

/**
 * Resolves when hyco-https is registered at the relay. `handler` is a module that exports `handle(request, response)`, as
 * node:http wants it; it may be TypeScript.
 */
export function startHycoHttpsListener(options: HycoOptions & { handler: string }): Promise<HycoListener> {
  const args = ['--no-deprecation', '--import', 'tsx', driver('hyco-https/hyco-https-listener.cjs')];
  return startListener(args, driverEnvironment(options, { HYCO_HANDLER: options.handler }));
}

async function startListener(args: readonly string[], env: NodeJS.ProcessEnv): Promise<HycoListener> {
  const events: HycoEvent[] = [];
  const child = await startProcess({
    command: process.execPath,
    args,
    env,
    onLine: (line) => events.push(JSON.parse(line) as HycoEvent),
    isReady: () => Promise.resolve(events.some(({ event }) => event === 'listening')),
  });
  const waitFor: HycoListener['waitFor'] = async (name, isWanted = () => true) => {
    let found: HycoEvent | undefined;
    await pollUntil(
      () => (found = events.find((event) => event.event === name && isWanted(event))) !== undefined,
      {
        what: () => `the listener to say ${name}; it said:\n${child.output()}`,
      },
    );
    return found as unknown as HycoEvent;
  };
  return { events, waitFor, exited: child.exited, stop: () => child.stop() };
}

/** Runs hyco-ws as a sender to its end; resolves whatever the end was (status 0, 1 or 124). */
export async function runHycoSender(
  options: HycoOptions & { messages: readonly HycoMessage[] },
): Promise<{ status: number | null; events: HycoEvent[]; stderr: string }> {
  const { status, stdout, stderr } = await tryCommand(
    process.execPath,
    ['--no-deprecation', driver('hyco-sender.cjs')],
    { env: driverEnvironment(options, { HYCO_MESSAGES: JSON.stringify(options.messages) }) },
  );
  const lines = stdout.split('\n').filter(Boolean);
  return { status, events: lines.map((line) => JSON.parse(line) as HycoEvent), stderr };
}

function driver(name: string): string {
  return fileURLToPath(new URL(`../clients/${name}`, import.meta.url));
}

/** NODE_OPTIONS stays behind: the drivers are plain CommonJS and need no loader of ours. */
function driverEnvironment(options: HycoOptions, more: Record<string, string>): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    HYCO_RELAY_URI: options.relayUri,
    HYCO_PATH: options.path,
    HYCO_KEY_NAME: options.keyName,
    HYCO_KEY: options.key,
    ...(options.caFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: options.caFile }),
    ...more,
    ...options.settings,
  };
  delete environment.NODE_OPTIONS;
  return environment;
}
