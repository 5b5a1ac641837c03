/**
 * haproxy three times, one thread each, splicing where it can. Under TLS both legs of the middle hop are encrypted,
 * and both clients check the certificate, as ours do.
 */
import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { certificateFiles, type CertificateFiles } from '../certificate.ts';
import { freePort, spawnQuiet, untilListening } from '../children.ts';
import { scratchDir } from '../places.ts';
import { Chain, type Role } from './chain.ts';
import type { Peer } from './peer.ts';

interface Hop {
  role: Role;
  bind: number;
  connect: number;
  tlsIn?: CertificateFiles | undefined;
  tlsOut?: CertificateFiles | undefined;
}

export const haproxy: Peer = {
  name: 'haproxy',
  legs: ['plain', 'tls'],
  available: () =>
    promisify(execFile)('haproxy', ['-v']).then(
      () => undefined,
      () => 'haproxy is not installed (apt-get install haproxy)',
    ),
  async start({ tls, targetPort }) {
    const certificate = tls ? await certificateFiles() : undefined;
    const [entry, middle, last] = [await freePort(), await freePort(), await freePort()];
    return Chain.build(async (chain) => {
      await startHop(chain, { role: 'listener', bind: last, connect: targetPort, tlsIn: certificate });
      await startHop(chain, {
        role: 'relay',
        bind: middle,
        connect: last,
        tlsIn: certificate,
        tlsOut: certificate,
      });
      await startHop(chain, { role: 'sender', bind: entry, connect: middle, tlsOut: certificate });
      return entry;
    });
  },
};

async function startHop(chain: Chain, hop: Hop): Promise<void> {
  const file = join(scratchDir('haproxy'), `${hop.role}.cfg`);
  writeFileSync(file, configOf(hop));
  const child = chain.add(hop.role, spawnQuiet('haproxy', ['-db', '-q', '-f', file]));
  await untilListening(hop.bind, child);
}

function configOf({ bind, connect, tlsIn, tlsOut }: Hop): string {
  const ssl = tlsIn ? ` ssl crt ${tlsIn.bothFile}` : '';
  const verify = tlsOut ? ` ssl verify required ca-file ${tlsOut.certFile} sni str(localhost)` : '';
  return `global
  nbthread 1
  maxconn ${maxConnections()}
defaults
  mode tcp
  option splice-auto
  timeout connect 10s
  timeout client 1h
  timeout server 1h
listen hop
  bind 127.0.0.1:${bind}${ssl} backlog 4096
  server next 127.0.0.1:${connect}${verify}
`;
}

/** haproxy wants two descriptors a connection and some for its splice pipes, all under the open-file limit. */
function maxConnections(): number {
  const limit = Number(execFileSync('sh', ['-c', 'ulimit -Hn']).toString());
  return Math.min(6000, Math.floor((Number.isNaN(limit) ? 20_000 : limit) / 3));
}
