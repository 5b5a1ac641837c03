/** Asks a running manager, over its socket. */
import { request, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { HcmError, ERROR_CODES, type ErrorCode, type ErrorDetails } from '../../protocol/errors.ts';
import {
  API_VERSION,
  VERSION_HEADER,
  type Added,
  type AddRequest,
  type ConnectionDetails,
  type ConnectionView,
  type DashboardInvitation,
  type EndpointReport,
  type EventView,
  type KnownResults,
  type ManagerExport,
  type ManagerView,
  type SamplesView,
  type TestReport,
} from './operations.ts';
import { checkSocketFolder } from './socket-folder.ts';

/** A manager answers within milliseconds; one that is stopped (SIGSTOP), or hangs, never does. */
const ANSWER_LIMIT_MS = 15_000;

export class ControlClient {
  readonly #path: string;
  readonly #answerLimitMs: number;

  /** `path`: of the socket or named pipe. Nothing is opened before the first call. */
  constructor(path: string, { answerLimitMs = ANSWER_LIMIT_MS }: { answerLimitMs?: number } = {}) {
    this.#path = path;
    this.#answerLimitMs = answerLimitMs;
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

  restart(id: string, options: { acceptTarget?: string | undefined }): Promise<ConnectionView> {
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

  export(): Promise<ManagerExport> {
    return this.#call('GET', 'export');
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

  /** A snapshot, then each event, until the signal fires or the manager ends, however it does. */
  async *events(signal: AbortSignal): AsyncGenerator<EventView> {
    const response = await this.#send('GET', 'events', undefined, signal);
    response.socket.setTimeout(0);
    const lines = createInterface({ input: response })[Symbol.asyncIterator]();
    try {
      for (;;) {
        // A manager that was killed leaves a broken connection, and maybe half a line.
        const event = await lines.next().then(eventOf, () => undefined);
        if (event === undefined) return;
        yield event;
      }
    } finally {
      response.destroy();
    }
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await this.#send(method, path, body);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of response) chunks.push(chunk as Buffer);
    } catch (error) {
      throw this.#notReached(error as NodeJS.ErrnoException);
    }
    const value = this.#parse(Buffer.concat(chunks).toString());
    if (response.statusCode === 200) return value as T;
    throw errorOf(value);
  }

  #parse(text: string): object {
    try {
      const value = JSON.parse(text) as unknown;
      if (typeof value === 'object' && value !== null) return value;
    } catch {
      // Told below.
    }
    throw new HcmError('HCM_MANAGER_VERSION', `What answers at ${this.#path} is no manager of hcm.`, {
      details: {
        socket: this.#path,
        next: 'Look which program it is; HCM_CONTROL_SOCKET names another socket',
      },
    });
  }

  #send(method: string, path: string, body?: object, signal?: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      checkSocketFolder(this.#path);
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
        (response) => {
          const other = this.#otherVersion(response);
          if (other) response.destroy();
          if (other) reject(other);
          else resolve(response);
        },
      );
      // What is written to a keychain, and tests, take their time.
      if (method === 'GET') {
        call.setTimeout(this.#answerLimitMs, () =>
          call.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })),
        );
      }
      call.once('error', (error: NodeJS.ErrnoException) => reject(this.#notReached(error)));
      call.end(text);
    });
  }

  #otherVersion({ headers }: IncomingMessage): HcmError | undefined {
    const version = headers[VERSION_HEADER.toLowerCase()];
    if (version === undefined || version === String(API_VERSION)) return undefined;
    const text = `The manager speaks version ${String(version)} of its API, and this hcm version ${API_VERSION}.`;
    return new HcmError('HCM_MANAGER_VERSION', text, { details: { socket: this.#path } });
  }

  #notReached(error: NodeJS.ErrnoException): HcmError {
    const details = { socket: this.#path };
    if (error.code === 'ETIMEDOUT') {
      const text = `The manager at ${this.#path} takes calls and does not answer.`;
      return new HcmError('HCM_NOT_RUNNING', text, {
        details: {
          ...details,
          cause: 'ETIMEDOUT',
          next: 'Start it again: hcm service stop, hcm service start',
        },
      });
    }
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

/** Undefined at the end, and for what is no whole line. */
function eventOf({ done, value }: IteratorResult<string, unknown>): EventView | undefined {
  try {
    return done ? undefined : (JSON.parse(value) as EventView);
  } catch {
    return undefined;
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
