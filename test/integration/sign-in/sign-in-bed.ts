/** An emulator to sign in to, a state folder of its own for each test, and how a command asks for a session. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmulator, type Emulator } from '../../../src/emulator/create-emulator.ts';
import { openAzure, type Azure } from '../../../src/lib/arm/azure.ts';
import { loadCloud } from '../../../src/lib/auth/clouds.ts';
import type { Prompt } from '../../../src/lib/auth/credentials.ts';
import { registerLocalCloud } from '../../../src/lib/auth/local-cloud.ts';
import { openSession, type Session, type SessionRequest } from '../../../src/lib/auth/session.ts';
import type { SignInRequest } from '../../../src/lib/auth/sign-in.ts';
import { systemClock } from '../../../src/tunnel/clock.ts';
import { RelayDialer } from '../../../src/tunnel/relay-dialer.ts';

export class SignInBed {
  emulator!: Emulator;
  directory = '';
  /** What people were shown. */
  readonly prompts: string[] = [];
  readonly prompt: Prompt = {
    showDeviceCode: (message) => void this.prompts.push(message),
    showBrowser: () => void this.prompts.push('browser'),
  };
  #environment: Record<string, string | undefined> = {};

  /** To be called inside `describe`. */
  static use(): SignInBed {
    const bed = new SignInBed();
    before(async () => (bed.emulator = await createEmulator({ behaviour: { deviceCodeIntervalS: 0.01 } })));
    after(() => bed.emulator.stop());
    beforeEach(async () => {
      bed.directory = await mkdtemp(join(tmpdir(), 'hcm-sign-in-'));
      await bed.register();
    });
    afterEach(async () => {
      bed.emulator.faults.clear();
      bed.prompts.length = 0;
      Object.assign(process.env, bed.#environment);
      for (const [name, value] of Object.entries(bed.#environment)) {
        if (value === undefined) delete process.env[name];
      }
      bed.#environment = {};
      await rm(bed.directory, { recursive: true, force: true });
    });
    return bed;
  }

  get app() {
    const { tenantId, clientId, clientSecret } = this.emulator.state;
    return { tenantId, clientId, clientSecret };
  }

  url(path: string): string {
    return `https://localhost:${this.emulator.port}${path}`;
  }

  async register(port = this.emulator.port): Promise<void> {
    const { subscriptionId } = this.emulator.state;
    await registerLocalCloud(this.directory, { port, subscriptionId, ...this.app });
  }

  async request(overrides: Partial<SignInRequest> = {}): Promise<SessionRequest> {
    const { directory } = this;
    const dialer = new RelayDialer({ loopbackCa: this.emulator.caPem }, systemClock);
    const cloud = await loadCloud({ name: 'local', env: {}, directory });
    const dial = (host: string, port: number) => dialer.dial(host, port);
    return { ...{ cloud, env: {}, directory, dial }, ...overrides };
  }

  async open(overrides: Partial<SessionRequest> = {}): Promise<Session> {
    return openSession(await this.request(overrides));
  }

  /** The names of the subscriptions that the session sees: the first use of it. */
  async see(session: Session): Promise<string[]> {
    return (await listNames(openAzure(session, { subscriptionId: '' }))).sort();
  }

  /** Variables that the SDK reads from the process itself; as they were again after the test. */
  setProcess(environment: Record<string, string>): void {
    for (const [name, value] of Object.entries(environment)) {
      this.#environment[name] ??= process.env[name];
      process.env[name] = value;
    }
  }

  /** Puts a program `az` on the PATH, and nothing else of that name; it is a shell script. */
  async installAz(script: string): Promise<void> {
    const file = join(this.directory, 'az');
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
    this.setProcess({ PATH: `${this.directory}:${process.env['PATH']}` });
  }
}

async function listNames(azure: Azure): Promise<string[]> {
  const { listSubscriptions } = await import('../../../src/lib/arm/subscriptions.ts');
  return (await listSubscriptions(azure)).map(({ displayName }) => displayName);
}
