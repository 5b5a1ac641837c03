/**
 * Azure as it was recorded, as a server: each request of hcm gets the next answer that Azure gave to the same method and
 * path, and the last of them again and again. What was deleted is gone; what nobody recorded is forbidden.
 */
import type { Azure } from '../../src/lib/arm/azure.ts';
import { recordedInteractions, type Interaction } from '../integration/emulator/recording.ts';
import { armError, FakeArm, type FakeAnswer, type SeenRequest } from './fake-arm.ts';

/** A recorded answer by its number; several, as the list that Azure would make of them; or one of our own. */
export type Answer = number | { list: readonly number[] } | FakeAnswer;

export class RecordedAzure {
  readonly arm: FakeArm;
  readonly azure: Azure;
  readonly #recorded: readonly Interaction[];
  /** By `METHOD path`, in small letters. */
  readonly #queues = new Map<string, Answer[]>();
  readonly #used = new Set<number>();
  readonly #deleted = new Set<string>();

  /**
   * @param script answers in the place of the recorded ones, by `METHOD` and the end of the path: where hcm asks in another
   * order or with another method than the CLI that was recorded, and what that never asked
   */
  constructor(recording: string, script: Readonly<Record<string, readonly Answer[]>> = {}) {
    this.#recorded = recordedInteractions(recording);
    for (const { n, request } of this.#recorded) {
      const key = keyOf(request.method, request.url);
      this.#queues.set(key, [...(this.#queues.get(key) ?? []), n]);
    }
    const scripted = Object.entries(script).map(([line, answers]) => {
      const [method = '', end = ''] = line.toLowerCase().split(' ');
      return { method: `${method} `, end, answers: [...answers] };
    });
    this.arm = new FakeArm((request) => {
      const key = keyOf(request.method, request.url);
      const own = scripted.find(({ method, end }) => key.startsWith(method) && key.endsWith(end));
      if (own !== undefined) this.#queues.set(key, own.answers);
      return this.#answer(key, request);
    });
    const [, subscriptionId = ''] =
      /\/subscriptions\/([^/]+)/.exec(this.#recorded[0]?.request.url ?? '') ?? [];
    this.azure = this.arm.azure.in(subscriptionId);
  }

  /** Numbers of the answers that nobody got. */
  get unused(): number[] {
    return this.#recorded.map(({ n }) => n).filter((n) => !this.#used.has(n));
  }

  /** What the recorded client sent. */
  sentThen(n: number): unknown {
    return this.#find(n).request.body;
  }

  /** What hcm sent with this method to the path of that interaction, time after time. */
  sentNow(n: number): unknown[] {
    const { method, url } = this.#find(n).request;
    const key = keyOf(method, url);
    return this.arm.requests
      .filter((request) => keyOf(request.method, request.url) === key)
      .map(({ body }) => body);
  }

  #answer(key: string, { method, url }: SeenRequest): FakeAnswer {
    const path = pathOf(url);
    if (method === 'GET' && this.#deleted.has(path))
      return { status: 404, body: armError('ResourceNotFound', 'It was deleted.') };
    const queue = this.#queues.get(key) ?? [];
    const next = queue.length > 1 ? queue.shift() : queue[0];
    if (next === undefined)
      return { status: 403, body: armError('AuthorizationFailed', 'This was not recorded.') };
    if (method === 'DELETE') this.#deleted.add(path);
    return this.#toAnswer(next);
  }

  #toAnswer(answer: Answer): FakeAnswer {
    if (typeof answer === 'object') {
      return 'list' in answer ? { body: { value: answer.list.map((n) => this.#take(n).body) } } : answer;
    }
    const { status, headers, body } = this.#take(answer);
    const location = headers['location'];
    return {
      ...{ status, body: body ?? undefined },
      ...(location === undefined ? {} : { headers: { location: String(location) } }),
    };
  }

  #take(n: number): Interaction['response'] {
    this.#used.add(n);
    return this.#find(n).response;
  }

  #find(n: number): Interaction {
    const found = this.#recorded.find((interaction) => interaction.n === n);
    if (found === undefined) throw new Error(`there is no interaction ${n}`);
    return found;
  }
}

/** Azure tells no capitals from small letters, nor do we mind the api-version. */
function keyOf(method: string, url: string): string {
  return `${method.toLowerCase()} ${pathOf(url)}`;
}

function pathOf(url: string): string {
  return new URL(url).pathname.toLowerCase();
}
