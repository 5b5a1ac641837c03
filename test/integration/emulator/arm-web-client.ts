/** An emulator with its Resource Manager, and a client of it that knows HTTP and nothing else. */
import { request } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import {
  createEmulator,
  type Emulator,
  type EmulatorOptions,
} from '../../../src/emulator/create-emulator.ts';

export interface ArmResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; undefined when there is none. */
  readonly body: unknown;
}

export interface ArmUnderTest {
  readonly emulator: Emulator;
  readonly endpoint: string;
  readonly ask: (method: string, path: string, body?: unknown) => Promise<ArmResponse>;
}

/** To be called inside `describe`: each test may start emulators, which are stopped after it. */
export function useArm(): (options?: EmulatorOptions) => Promise<ArmUnderTest> {
  const started: Emulator[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((emulator) => emulator.stop()));
  });
  return async (options = {}) => {
    const emulator = await createEmulator(options);
    started.push(emulator);
    const { tenantId, clientId, clientSecret } = emulator.state;
    const form = new URLSearchParams({
      ...{ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret },
      scope: 'https://management.azure.com/.default',
    });
    const answer = await send(emulator, 'POST', `/${tenantId}/oauth2/v2.0/token`, form.toString(), {
      'Content-Type': 'application/x-www-form-urlencoded',
    });
    const token = (answer.body as { access_token: string }).access_token;
    return {
      emulator,
      endpoint: `https://localhost:${emulator.port}`,
      ask: (method, path, body) =>
        send(emulator, method, path, body === undefined || body === null ? '' : JSON.stringify(body), {
          ...{ Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        }),
    };
  };
}

function send(
  { port, caPem }: Emulator,
  method: string,
  path: string,
  text: string,
  headers: Record<string, string>,
): Promise<ArmResponse> {
  return new Promise((resolve, reject) => {
    const options = { host: 'localhost', port, path, method, ca: caPem, agent: false as const, headers };
    const asked = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const answer = Buffer.concat(chunks).toString();
        const body: unknown = answer === '' ? undefined : JSON.parse(answer);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    asked.on('error', reject);
    asked.end(text);
  });
}
