/** An emulator on a clock that the test moves, and a client of its Resource Manager that knows HTTP and nothing else. */
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import {
  createEmulator,
  type Emulator,
  type EmulatorEvent,
  type EmulatorOptions,
} from '../../../src/emulator/create-emulator.ts';
import { createState } from '../../../src/emulator/state.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { signingKey } from '../../helpers/signing-key.ts';

export interface ArmResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; undefined when there is none. */
  readonly body: unknown;
}

export interface AskOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is, instead of a body. */
  readonly text?: string;
  readonly token?: string | null;
}

export interface ArmUnderTest {
  readonly emulator: Emulator;
  readonly clock: FakeClock;
  readonly events: EmulatorEvent[];
  /** `https://localhost:N` */
  readonly endpoint: string;
  readonly token: string;
  /** `/subscriptions/…` of the first one. */
  readonly subscription: string;
  /** …/resourceGroups/local/providers/Microsoft.Relay */
  readonly relay: string;
  readonly ask: (method: string, path: string, body?: unknown, options?: AskOptions) => Promise<ArmResponse>;
  /** A token for Resource Manager, of another client than the emulator's own. */
  readonly tokenOf: (clientId: string, clientSecret: string) => Promise<string>;
}

/** To be called inside `describe`: each test may start emulators, which are stopped after it. */
export function useArm(): (options?: EmulatorOptions) => Promise<ArmUnderTest> {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()));
  });
  return async (options = {}) => {
    const clock = new FakeClock(Math.floor(Date.now() / 1_000) * 1_000);
    const events: EmulatorEvent[] = [];
    const state = options.state ?? createState(clock.nowMs());
    state.signingKey ??= await signingKey();
    const onEvent = (event: EmulatorEvent) => void events.push(event);
    const emulator = await createEmulator({ clock, onEvent, ...options, state });
    const agent = new Agent({ keepAlive: true, ca: emulator.caPem });
    ends.push(async () => {
      agent.destroy();
      await emulator.stop();
    });
    const { tenantId, clientId, clientSecret, subscriptionId } = emulator.state;
    const tokenOf = async (client_id: string, client_secret: string) => {
      const form = { grant_type: 'client_credentials', client_id, client_secret };
      const text = new URLSearchParams({
        ...form,
        scope: 'https://management.azure.com/.default',
      }).toString();
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const answer = await send(
        emulator.port,
        agent,
        'POST',
        `/${tenantId}/oauth2/v2.0/token`,
        text,
        headers,
      );
      return (answer.body as { access_token: string }).access_token;
    };
    const token = await tokenOf(clientId, clientSecret);
    const subscription = `/subscriptions/${subscriptionId}`;
    return {
      ...{ emulator, clock, events, token, subscription, tokenOf },
      endpoint: `https://localhost:${emulator.port}`,
      relay: `${subscription}/resourceGroups/local/providers/Microsoft.Relay`,
      ask(method, path, body, { headers = {}, text, token: bearer = token } = {}) {
        const sent = text ?? (body === undefined ? '' : JSON.stringify(body));
        return send(emulator.port, agent, method, path, sent, {
          ...(bearer === null ? {} : { Authorization: `Bearer ${bearer}` }),
          ...(sent === '' ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        });
      },
    };
  };
}

/** Code and message of an error. */
export function errorIn({ body }: ArmResponse): { code: string; message: string } {
  return (body as { error: { code: string; message: string } }).error;
}

/** What stands at a path like `properties.status` of a body; undefined when nothing does. */
export function at({ body }: Pick<ArmResponse, 'body'>, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], body);
}

function send(
  port: number,
  agent: Agent,
  method: string,
  path: string,
  text: string,
  headers: Readonly<Record<string, string>>,
): Promise<ArmResponse> {
  return new Promise((resolve, reject) => {
    const length = text === '' ? {} : { 'Content-Length': Buffer.byteLength(text) };
    const options = { host: 'localhost', port, path, method, agent, headers: { ...headers, ...length } };
    const asked = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const answer = Buffer.concat(chunks).toString();
        const isJson = /json/.test(response.headers['content-type'] ?? '');
        const body: unknown = answer === '' ? undefined : isJson ? JSON.parse(answer) : answer;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    asked.on('error', reject);
    asked.end(text);
  });
}
