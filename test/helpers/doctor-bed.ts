/** A diagnosis of a relay on loopback: everything is as it should be, until a test breaks one thing. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Emulator } from '../../src/emulator/create-emulator.ts';
import { examine } from '../../src/lib/services/doctor/examine.ts';
import type { ProofId, ProofReport } from '../../src/lib/services/doctor/report.ts';
import type { Scene } from '../../src/lib/services/doctor/scene.ts';
import type { Dns } from '../../src/lib/services/firewall/dns.ts';
import { resolveConnection } from '../../src/protocol/connection-string.ts';
import { systemClock } from '../../src/tunnel/clock.ts';
import type { Connection } from '../../src/tunnel/options.ts';
import { readySasToken, sasKeyTokens } from '../../src/tunnel/token-provider.ts';

/** What a connection string opens; `endpoint` puts something else in the relay's place. */
export function connectionOf(
  connectionString: string,
  endpoint?: Partial<Connection['endpoint']>,
): Connection {
  const resolved = resolveConnection({ connectionString });
  const { credential } = resolved;
  const connection = { path: resolved.path, endpoint: { ...resolved.endpoint, ...endpoint } };
  if (credential.kind === 'key') return { ...connection, tokens: sasKeyTokens(credential, systemClock) };
  if (credential.kind === 'signature') return { ...connection, tokens: readySasToken(credential.token) };
  return connection;
}

/** Names of a test: each leads to loopback unless said otherwise. */
export function namesOf(names: {
  /** The name is an alias of these in turn. */
  aliases?: readonly string[];
  exists?: (host: string) => boolean | undefined;
  addresses?: (host: string) => readonly string[];
}): Dns {
  return {
    addresses: (host) => Promise.resolve().then(() => names.addresses?.(host) ?? ['127.0.0.1']),
    aliases: () => Promise.resolve(names.aliases ?? []),
    exists: (host) => Promise.resolve(names.exists?.(host)),
  };
}

/** What Node says of a name that nobody knows. */
export function unknownName(host: string): never {
  throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
}

export class DoctorBed {
  readonly directory: string;

  static async make(): Promise<DoctorBed> {
    return new DoctorBed(await mkdtemp(join(tmpdir(), 'hcm-doctor-')));
  }

  private constructor(directory: string) {
    this.directory = directory;
  }

  scene(
    emulator: Pick<Emulator, 'caPem'>,
    connections: readonly Connection[],
    other: Partial<Scene> = {},
  ): Scene {
    return {
      machine: {
        ...{ nodeVersion: 'v22.0.0', hcmVersion: '1.2.3', platform: 'linux-x64', env: {} },
        stateDirectory: this.directory,
      },
      proxySetting: { source: undefined },
      network: { loopbackCa: emulator.caPem },
      ...{ clock: systemClock, dns: namesOf({}), connections, side: undefined, target: undefined },
      signal: new AbortController().signal,
      ...other,
    };
  }

  remove(): Promise<void> {
    return rm(this.directory, { recursive: true, force: true });
  }
}

/** The reports by proof. */
export async function diagnose(scene: Scene): Promise<Map<ProofId, ProofReport>> {
  return new Map((await examine(scene)).map((report) => [report.proof, report]));
}

/** `dns: failed HCM_DNS_FAILED`, a line for each proof. */
export function outlineOf(reports: Iterable<ProofReport>): string[] {
  return [...reports].map((report) => {
    const code = 'error' in report ? ` ${report.error.code}` : '';
    const on = report.result === 'skipped' && report.on !== undefined ? ` on ${report.on}` : '';
    return `${report.proof}: ${report.result}${code}${on}`;
  });
}
