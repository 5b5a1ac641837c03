/** Asks a running manager, over its socket. */
import { request, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { HcmError, ERROR_CODES, type ErrorCode, type ErrorDetails } from '../../protocol/errors.ts';
import {
  API_VERSION,
  type Added,
  type AddRequest,
  type ConnectionDetails,
  type ConnectionView,
  type DashboardInvitation,
  type EndpointReport,
  type EventView,
  type KnownResults,
  type ManagerView,
  type SamplesView,
  type TestReport,
} from './operations.ts';

export class ControlClient {
  readonly #path: string;

  /** `path`: of the socket or named pipe. Nothing is opened before the first call. */
  constructor(path: string) {
    this.#path = path;
  }

  describe(): Promise<ManagerView> {
    return this.#call('GET', 'manager');
  }

  list(): Promise<ConnectionView[]> {
    return this.#call('GET', 'connections');
  }

  show(id: string): Promise<ConnectionDetails> {
    return this.#call('GET', `connections/${encodeURIComponent(id)}`);
  }

  add(wanted: AddRequest): Promise<Added> {
    return this.#call('POST', 'connections', wanted);
  }

  remove(id: string): Promise<void> {
    return this.#call('DELETE', `connections/${encodeURIComponent(id)}`);
  }

  restart(id: string, options: { acceptTarget: boolean }): Promise<ConnectionView> {
    return this.#call('POST', `connections/${encodeURIComponent(id)}/restart`, options);
  }

  test(id: string, known: KnownResults = {}): Promise<TestReport> {
    return this.#call('POST', `connections/${encodeURIComponent(id)}/test`, { known });
  }

  testEndpoint(endpoint: string): Promise<EndpointReport> {
    return this.#call('POST', 'test', { endpoint });
  }

  reload(): Promise<{ started: string[]; reopened: string[]; stopped: string[] }> {
    return this.#call('POST', 'reload');
  }

  logs(lines: number): Promise<EventView[]> {
    return this.#call('GET', `logs?lines=${lines}`);
  }

  samples(): Promise<SamplesView> {
    return this.#call('GET', 'samples');
  }

  dashboard(): Promise<DashboardInvitation> {
    return this.#call('POST', 'dashboard');
  }

  /** A snapshot, then each event, until the signal fires or the manager ends. */
  async *events(signal: AbortSignal): AsyncGenerator<EventView> {
    const response = await this.#send('GET', 'events', undefined, signal);
    try {
      for await (const line of createInterface({ input: response })) yield JSON.parse(line) as EventView;
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      response.destroy();
    }
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await this.#send(method, path, body);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const value = JSON.parse(Buffer.concat(chunks).toString()) as unknown;
    if (response.statusCode === 200) return value as T;
    throw errorOf(value);
  }

  #send(method: string, path: string, body?: object, signal?: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const text = body && JSON.stringify(body);
      const headers = text === undefined ? {} : { 'Content-Type': 'application/json' };
      const call = request(
        {
          socketPath: this.#path,
          method,
          path: `/v${API_VERSION}/${path}`,
          headers,
          ...(signal && { signal }),
        },
        resolve,
      );
      call.once('error', (error: NodeJS.ErrnoException) => reject(this.#notReached(error)));
      call.end(text);
    });
  }

  #notReached(error: NodeJS.ErrnoException): HcmError {
    const details = { socket: this.#path };
    if (error.code === 'EACCES') {
      const text = `The manager's socket ${this.#path} is not open to this user.`;
      return new HcmError('HCM_FORBIDDEN', text, {
        details: { ...details, next: 'Ask to be added to the group hcm' },
      });
    }
    return new HcmError('HCM_NOT_RUNNING', `No manager runs here: nobody answers at ${this.#path}.`, {
      details: { ...details, cause: error.code ?? 'unknown', next: 'hcm service run' },
    });
  }
}

/** The manager's own error, as if it had happened here. */
function errorOf(value: unknown): HcmError {
  const { error } = value as { error?: { code?: string; message?: string; details?: ErrorDetails } };
  const code = ERROR_CODES.find((known) => known === error?.code) ?? ('HCM_UNEXPECTED' satisfies ErrorCode);
  return new HcmError(code, error?.message ?? 'The manager answered something unknown.', {
    details: error?.details ?? {},
  });
}
