// Two hosts on one machine: network namespaces, each joined to the root namespace by a veth pair of its own. Neither
// reaches the other, and neither has a default route. A process in one has its own 127.0.0.1, so that a target bound
// there is reachable for a listener in the same namespace only. Needs root.
import { randomBytes, randomInt } from 'node:crypto';
import { acceptsConnections, LOOPBACK } from './free-port.ts';
import { runsAsRoot, startProcess, type ServerProcess } from './process.ts';
import { runCommand, tryCommand, type CommandOptions, type CommandResult } from './run-command.ts';

const FIRST_SUBNET = (198 << 24) | (18 << 16); // 198.18.0.0/15: reserved for tests between networks (RFC 2544)
const SUBNETS = 1 << 15; // of four addresses each

interface NetworkNamespace {
  readonly name: string;
  /** This end of the veth pair, as the namespace dials the root namespace. */
  readonly hostAddress: string;
  /** The namespace's own end, as the root namespace dials it. */
  readonly address: string;
  /** The command line that runs a command inside; the process it starts is the command itself. */
  commandLine(command: string, args: readonly string[]): [command: string, args: string[]];
  /** Runs a command inside to its end. */
  run(command: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /**
   * Makes 127.0.0.1:port of the root namespace answer at 127.0.0.1:port inside, too (across the veth pair, by two
   * socat processes): a relay whose certificate says `localhost` can be dialed from inside under the same name.
   */
  reachHostLoopback(port: number): Promise<void>;
}

export interface NetworkNamespaces {
  readonly first: NetworkNamespace;
  readonly second: NetworkNamespace;
  /** Ends what still runs inside and removes both. */
  stop(): Promise<void>;
}

/** Resolves when both are up and their addresses answer. */
export async function startNetworkNamespaces(): Promise<NetworkNamespaces> {
  if (!runsAsRoot()) throw new Error('network namespaces need root');
  const id = randomBytes(3).toString('hex'); // an interface name has at most 15 characters
  const subnet = randomInt(SUBNETS - 1);
  const names = [`hcm-${id}-1`, `hcm-${id}-2`] as const;
  const forwarders: ServerProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(forwarders.splice(0).map((forwarder) => forwarder.stop()));
    for (const name of names) await removeNamespace(name);
  };
  try {
    const first = await createNamespace(names[0], subnet, forwarders);
    const second = await createNamespace(names[1], subnet + 1, forwarders);
    return { first, second, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function createNamespace(
  name: string,
  subnet: number,
  forwarders: ServerProcess[],
): Promise<NetworkNamespace> {
  const hostAddress = addressInSubnet(subnet, 1);
  const address = addressInSubnet(subnet, 2);
  const ip = (...args: string[]): Promise<CommandResult> => runCommand('ip', args);
  await ip('netns', 'add', name);
  await ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'veth0', 'netns', name);
  await ip('address', 'add', `${hostAddress}/30`, 'dev', name);
  await ip('link', 'set', name, 'up');
  await ip('-n', name, 'address', 'add', `${address}/30`, 'dev', 'veth0');
  await ip('-n', name, 'link', 'set', 'veth0', 'up');
  await ip('-n', name, 'link', 'set', 'lo', 'up');
  const commandLine = (command: string, args: readonly string[]): [string, string[]] => [
    'ip',
    ['netns', 'exec', name, command, ...args],
  ];
  const run: NetworkNamespace['run'] = (command, args, options) =>
    runCommand(...commandLine(command, args), options);
  const reachHostLoopback = async (port: number): Promise<void> => {
    forwarders.push(
      await startProcess({
        command: 'socat',
        args: [listenAt(hostAddress, port), `TCP:${LOOPBACK}:${port}`],
        isReady: () => acceptsConnections(port, hostAddress),
      }),
    );
    const [command, args] = commandLine('socat', [listenAt(LOOPBACK, port), `TCP:${hostAddress}:${port}`]);
    const isListening = async (): Promise<boolean> => {
      const { stdout } = await run('ss', ['-Hltn', `sport = :${port}`]);
      return stdout.includes(`${LOOPBACK}:${port}`);
    };
    forwarders.push(await startProcess({ command, args, isReady: isListening }));
  };
  return { name, hostAddress, address, commandLine, run, reachHostLoopback };
}

function listenAt(address: string, port: number): string {
  return `TCP-LISTEN:${port},bind=${address},reuseaddr,fork,backlog=128`;
}

function addressInSubnet(subnet: number, host: 1 | 2): string {
  const value = FIRST_SUBNET + subnet * 4 + host;
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');
}

async function removeNamespace(name: string): Promise<void> {
  const inside = await tryCommand('ip', ['netns', 'pids', name]);
  for (const pid of inside.stdout.split('\n').filter(Boolean)) {
    await tryCommand('kill', ['-KILL', pid]);
  }
  await tryCommand('ip', ['link', 'delete', name]);
  await tryCommand('ip', ['netns', 'delete', name]);
}
