/** Calls of the manager's API from the page's own origin. Whatever goes wrong is an ApiError with a stable code. */
import type {
  Added,
  AddRequest,
  ConnectionDetails,
  ConnectionView,
  EventView,
  ManagerView,
  SamplesView,
  TestReport,
} from '../../../src/manager/control/operations.ts';
import { PAGE_KEY_HEADER, PAGE_KEY_ITEM } from '../../../src/manager/web/page-key.ts';
import type { ErrorCode } from '../../../src/protocol/errors.ts';
import { LineSplitter } from '../model/ndjson.ts';

/** A manager on this machine answers at once; one that does not in this time is not well. */
const ANSWER_MS = 3_000;
/** A change may have to wait for a disk, or for streams of a local port that is let go. */
const CHANGE_MS = 30_000;
/** A test waits for relays, names and targets. */
const TEST_MS = 120_000;

/** `gone`: nobody answers. `over`: the manager does not know this page any more. */
export type ApiErrorCode = ErrorCode | 'gone' | 'over';

export class ApiError extends Error {
  readonly code: ApiErrorCode;
  readonly next: string | undefined;

  constructor(code: ApiErrorCode, message: string, next?: string) {
    super(message);
    this.code = code;
    this.next = next;
  }
}

export const api = {
  manager: () => call<ManagerView>('GET', 'manager', within(ANSWER_MS)),
  /** In one answer, so that a connection that was just removed is missing and no error. */
  connections: async (detailsOf = '') => {
    const path = `connections?details=${encodeURIComponent(detailsOf)}`;
    const { body, atMs } = await answerTo<(ConnectionView | ConnectionDetails)[]>(
      'GET',
      path,
      within(ANSWER_MS),
    );
    return { connections: body, atMs };
  },
  samples: () => call<SamplesView>('GET', 'samples', within(ANSWER_MS)),
  logs: (lines: number) => call<EventView[]>('GET', `logs?lines=${lines}`, within(ANSWER_MS)),
  add: (request: AddRequest) => call<Added>('POST', 'connections', within(CHANGE_MS), request),
  /** The target that Azure names for it; nothing is added. */
  namedTarget: (request: AddRequest) =>
    call<{ target: string }>('POST', 'target', within(CHANGE_MS), request),
  remove: (id: string) => call<object>('DELETE', `connections/${encodeURIComponent(id)}`, within(CHANGE_MS)),
  restart: (id: string, acceptTarget?: string) =>
    call<ConnectionView>('POST', `connections/${encodeURIComponent(id)}/restart`, within(CHANGE_MS), {
      acceptTarget,
    }),
  /** `givenUp`: nobody waits for the answer any more; it holds one of the browser's six connections. */
  test: (id: string, givenUp: AbortSignal) => {
    const signal = AbortSignal.any([within(TEST_MS), givenUp]);
    return call<TestReport>('POST', `connections/${encodeURIComponent(id)}/test`, signal, {});
  },
};

/** The stream of events: a snapshot first. Ends when the manager does. */
export async function* followEvents(signal: AbortSignal): AsyncGenerator<EventView> {
  const response = await send('GET', 'events', signal);
  if (!response.ok) throw await errorOf(response);
  if (!response.body) return;
  const lines = new LineSplitter();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const line of lines.push(value)) yield line as EventView;
  }
}

async function call<T>(method: string, path: string, signal: AbortSignal, body?: object): Promise<T> {
  return (await answerTo<T>(method, path, signal, body)).body;
}

/** `atMs`: when it was, by the manager's clock, to the second. */
async function answerTo<T>(
  method: string,
  path: string,
  signal: AbortSignal,
  content?: object,
): Promise<{ body: T; atMs: number }> {
  const response = await send(method, path, signal, content);
  if (!response.ok) throw await errorOf(response);
  const body = (await response.json().catch(() => {
    throw new ApiError('gone', 'The manager broke off in the middle of its answer.');
  })) as T;
  return { body, atMs: Date.parse(response.headers.get('date') ?? '') };
}

async function send(method: string, path: string, signal: AbortSignal, body?: object): Promise<Response> {
  const headers = {
    [PAGE_KEY_HEADER]: pageKey(),
    ...(body && { 'Content-Type': 'application/json' }),
  };
  const content = body && { body: JSON.stringify(body) };
  try {
    return await fetch(`/v1/${path}`, { method, signal, headers, cache: 'no-store', ...content });
  } catch {
    throw new ApiError('gone', 'The manager does not answer.');
  }
}

/** Asked for each time: a new link gives a new one to all windows that are open. */
function pageKey(): string {
  try {
    return localStorage.getItem(PAGE_KEY_ITEM) ?? '';
  } catch {
    // A browser that stores nothing has no cookie either, and the session is over.
    return '';
  }
}

function within(delayMs: number): AbortSignal {
  return AbortSignal.timeout(delayMs);
}

async function errorOf(response: Response): Promise<ApiError> {
  const answer = (await response.json().catch(() => undefined)) as Answer | undefined;
  const { code, message, details } = answer?.error ?? {};
  if (response.status === SIGNED_OUT || response.status === REFUSED)
    return new ApiError('over', message ?? 'The session of this page is over.', details?.next);
  if (code === undefined || message === undefined)
    return new ApiError('HCM_UNEXPECTED', `The manager answered with status ${response.status}.`);
  return new ApiError(code, message, details?.next);
}

const SIGNED_OUT = 401;
const REFUSED = 403;

interface Answer {
  readonly error?: {
    readonly code?: ErrorCode;
    readonly message?: string;
    readonly details?: { readonly next?: string };
  };
}
