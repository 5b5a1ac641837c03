/** Azure as it was recorded: every request of hcm gets the answer that Azure gave to the same one. */
import { createHttpHeaders, type HttpClient, type PipelineResponse } from '@azure/core-rest-pipeline';
import { openAzure, type Azure } from '../../src/lib/arm/azure.ts';
import { BUILT_IN_CLOUDS } from '../../src/lib/auth/cloud.ts';
import type { Session } from '../../src/lib/auth/session.ts';
import { recordedInteractions, type Interaction } from '../integration/emulator/recording.ts';

/** The number of an interaction; with a method where its answer stands for that of another request. */
type Recorded = number | { n: number; method: string };

const FORBIDDEN = { error: { code: 'AuthorizationFailed', message: 'This was not recorded.' } };

export class Replay {
  readonly azure: Azure;
  /** Bodies of the requests that had one, in order. */
  readonly sent: { n: number; body: unknown }[] = [];
  /** What was reported to a person. */
  readonly reports: string[] = [];
  readonly #left: (Interaction & { method: string })[];

  /** Each interaction serves one request. What was not recorded is answered with 403. */
  constructor(name: string, recorded: readonly Recorded[]) {
    const all = recordedInteractions(name);
    this.#left = recorded.map((one) => {
      const { n, method } = typeof one === 'number' ? { n: one, method: undefined } : one;
      const found = all.find((interaction) => interaction.n === n);
      if (found === undefined) throw new Error(`${name} has no interaction ${n}`);
      return { ...found, method: method ?? found.request.method };
    });
    const [cloud] = BUILT_IN_CLOUDS;
    if (cloud === undefined) throw new Error('no public cloud');
    const session: Session = {
      ...{ cloud, method: 'cli', httpClient: this.#client },
      credential: {
        getToken: () => Promise.resolve({ token: 't', expiresOnTimestamp: Date.now() + 3_600_000 }),
      },
    };
    const subscriptionId = /\/subscriptions\/([^/]+)/.exec(all[0]?.request.url ?? '')?.[1];
    const report = (message: string) => void this.reports.push(message);
    this.azure = openAzure(session, { subscriptionId, report, retry: { attempts: 1 } });
  }

  /** Numbers of the interactions that were not asked for. */
  get unused(): number[] {
    return this.#left.map(({ n }) => n);
  }

  get #client(): HttpClient {
    return {
      sendRequest: (request) => {
        const wanted = pathOf(request.url);
        const at = this.#left.findIndex(
          (one) => one.method === request.method && pathOf(one.request.url) === wanted,
        );
        const [found] = at < 0 ? [] : this.#left.splice(at, 1);
        if (found !== undefined && typeof request.body === 'string')
          this.sent.push({ n: found.n, body: JSON.parse(request.body) });
        const { status = 403, body = FORBIDDEN } = found?.response ?? {};
        const answer: PipelineResponse = {
          ...{ request, status },
          headers: createHttpHeaders({ 'content-type': 'application/json' }),
          bodyAsText: body === null ? '' : JSON.stringify(body),
        };
        return Promise.resolve(answer);
      },
    };
  }
}

/** Azure tells no difference between capitals and small letters, nor do we mind the api-version. */
function pathOf(url: string): string {
  return new URL(url).pathname.toLowerCase();
}
