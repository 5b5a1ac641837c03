/** hcm's way to Azure, over an emulator in this process: sign-in, tokens, TLS and Resource Manager are the real ones. */
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { createEmulator, type Emulator, type EmulatorOptions } from '../../src/emulator/create-emulator.ts';
import type { ArmRefusal } from '../../src/emulator/arm-faults.ts';
import { openAzure, type Azure, type AzureOptions } from '../../src/lib/arm/azure.ts';
import { RELAY_SCOPE, type Cloud } from '../../src/lib/auth/cloud.ts';
import { openSession, type Session } from '../../src/lib/auth/session.ts';
import { CLOUD_SUFFIXES } from '../../src/protocol/relay-hosts.ts';
import { systemClock } from '../../src/tunnel/clock.ts';
import { RelayDialer } from '../../src/tunnel/relay-dialer.ts';
import { createCa } from '../../src/emulator/ca.ts';
import type { CertifiedKey } from '../../src/emulator/certified-key.ts';
import { signingKey } from './signing-key.ts';

/** Nobody is remembered there. */
const NO_DIRECTORY = join(tmpdir(), 'hcm-no-such-directory');

/** One for all tests of a process: making it costs more than most tests. */
let ca: Promise<CertifiedKey> | undefined;

export class AzureBed {
  readonly emulator: Emulator;
  readonly session: Session;
  /** In the emulator's own subscription. */
  readonly azure: Azure;
  /** What was reported to a person. */
  readonly reports: string[];

  private constructor(emulator: Emulator, session: Session, azure: Azure, reports: string[]) {
    this.emulator = emulator;
    this.session = session;
    this.azure = azure;
    this.reports = reports;
  }

  /** Pauses between attempts are short; otherwise as a command opens it. */
  static async start(options: EmulatorOptions = {}, azureOptions: AzureOptions = {}): Promise<AzureBed> {
    const emulator = await createEmulator({ ...options, ca: await (ca ??= createCa()) });
    emulator.state.signingKey ??= await signingKey();
    const session = await openEmulatorSession(emulator);
    const reports: string[] = [];
    const azure = openAzure(session, {
      retry: { firstDelayMs: 1, attempts: 4 },
      report: (message) => reports.push(message),
      ...azureOptions,
    });
    return new AzureBed(emulator, session, azure, reports);
  }

  /** Answers requests of ARM with an error instead of serving them. */
  refuse(refusal: ArmRefusal): () => void {
    return this.emulator.faults.arm.refuse(refusal);
  }

  /** How many requests of `act` asked ARM to change something. */
  async writesOf(act: () => Promise<unknown>): Promise<number> {
    const before = this.emulator.armWrites;
    await act();
    return this.emulator.armWrites - before;
  }

  stop(): Promise<void> {
    return this.emulator.stop();
  }
}

/** As the emulator's own application. */
export async function openEmulatorSession(
  { state, port, caPem }: Emulator,
  who: { clientId: string; clientSecret: string } = state,
): Promise<Session> {
  const endpoint = `https://localhost:${port}`;
  const cloud: Cloud = {
    ...{ name: 'local', armEndpoint: endpoint, authority: endpoint, armScope: `${endpoint}/.default` },
    ...{ relaySuffix: CLOUD_SUFFIXES.local, relayPort: port, relayScope: RELAY_SCOPE },
  };
  const dialer = new RelayDialer({ loopbackCa: caPem }, systemClock);
  return openSession({
    cloud,
    auth: 'env',
    directory: NO_DIRECTORY,
    env: {
      AZURE_TENANT_ID: state.tenantId,
      AZURE_CLIENT_ID: who.clientId,
      AZURE_CLIENT_SECRET: who.clientSecret,
      AZURE_SUBSCRIPTION_ID: state.subscriptionId,
    },
    dial: (host, port) => dialer.dial(host, port),
  });
}
