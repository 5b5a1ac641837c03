// A real DNS server (dnsmasq) that knows a few names of its own and asks nobody else, over UDP and TCP.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acceptsConnections, freePort, LOOPBACK } from './free-port.ts';
import { runCommand } from './run-command.ts';
import { startProcess } from './process.ts';
import { inServerDirectory, type RealServer } from './server-directory.ts';

const COMMAND = '/usr/sbin/dnsmasq'; // not on every user's PATH
const HOSTS = 50;
/** TXT records of this many strings of this length make an answer of almost 4 KiB, the most that EDNS clients usually take. */
const LARGE_RECORDS = 15;
const LARGE_TEXT_CHARS = 250;
const UDP_PAYLOAD_BYTES = 4096;

export interface DnsServer extends RealServer {
  /** Names with a host's address: `host-0.test` and on. */
  readonly hosts: readonly string[];
  /** Its TXT records fill almost 4 KiB. */
  readonly large: string;
}

/** Resolves when it accepts connections. */
export function startDns(): Promise<DnsServer> {
  return inServerDirectory('dns', undefined, async (directory) => {
    const port = await freePort();
    const hosts = Array.from({ length: HOSTS }, (_, at) => `host-${at}.test`);
    const large = 'large.test';
    const file = join(directory, 'dnsmasq.conf');
    await writeFile(file, configuration(port, hosts, large));
    const child = await startProcess({
      command: COMMAND,
      args: ['--keep-in-foreground', '--log-facility=-', `--conf-file=${file}`],
      cwd: directory,
      isReady: () => acceptsConnections(port),
    });
    return { host: LOOPBACK, port, hosts, large, stop: () => child.stop() };
  });
}

function configuration(port: number, hosts: readonly string[], large: string): string {
  const records = Array.from({ length: LARGE_RECORDS }, (_, at) => {
    return `txt-record=${large},${String.fromCharCode(97 + at).repeat(LARGE_TEXT_CHARS)}`;
  });
  return [
    `port=${port}`,
    `listen-address=${LOOPBACK}`,
    'bind-interfaces',
    'no-resolv',
    'no-hosts',
    'pid-file=',
    'user=root', // stays who it is: it was given nothing to lose
    `edns-packet-max=${UDP_PAYLOAD_BYTES}`,
    'cname=alias.test,host-1.test',
    'mx-host=test,host-2.test,10',
    'srv-host=_http._tcp.test,host-3.test,80,1,2',
    ...hosts.map((name, at) => `host-record=${name},192.0.2.${at + 1},2001:db8::${at + 1}`),
    ...records,
    '',
  ].join('\n');
}

export interface DigOptions {
  readonly name: string;
  readonly type?: string;
  readonly overTcp?: boolean;
}

/** Asks by `dig`; resolves with the answer as it prints it, without what differs from run to run (id, time, server). */
export async function dig(port: number, { name, type = 'A', overTcp = false }: DigOptions): Promise<string> {
  const flags = [
    '+tries=1',
    '+time=20',
    '+ignore',
    overTcp ? '+tcp' : '+notcp',
    `+bufsize=${UDP_PAYLOAD_BYTES}`,
  ];
  const { stdout } = await runCommand('dig', [...flags, `@${LOOPBACK}`, '-p', String(port), name, type]);
  return stdout
    .split('\n')
    .filter((line) => !/^; <<>>|^;; (?:Query time|SERVER|WHEN)|^; \(\d server/.test(line))
    .map((line) => line.replace(/, id: \d+/, ''))
    .sort() // records come in turn
    .join('\n');
}
