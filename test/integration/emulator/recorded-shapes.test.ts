/**
 * Microsoft.Relay of the emulator beside Microsoft.Relay: the requests of three recordings (azure-cli's tests, 2023) are
 * made again, and the answers compared, key by key and value by value. What is meant to differ is listed here and in
 * docs/emulator.md.
 */
import { deepEqual, equal, notEqual } from 'node:assert/strict';
import { createNamespace, createState, type EmulatorState } from '../../../src/emulator/state.ts';
import { putSubscription } from '../../../src/emulator/state-subscriptions.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { useArm, type ArmResponse, type ArmUnderTest } from './arm-under-test.ts';
import {
  differences,
  headerDifferences,
  recordedInteractions,
  type Intended,
  type Interaction,
} from './recording.ts';

const RECORDED_SUBSCRIPTION = '00000000-0000-0000-0000-000000000000';
/** Longer than a creation or a removal takes. */
const LONG_MS = 120_000;

/** What is meant to differ: docs/emulator.md tells the same to people. */
const INTENDED: readonly Intended[] = [
  { path: /\.(?:createdAt|updatedAt)$/, differs: 'value', why: 'the time; in milliseconds' },
  { path: /\.serviceBusEndpoint$/, differs: 'value', why: 'the host of a namespace here, and the port' },
  { path: /^\.(?:primaryKey|secondaryKey)$/, differs: 'value', why: 'keys are random' },
  { path: /^\.(?:primary|secondary)ConnectionString$/, differs: 'value', why: 'keys, the host and its port' },
];
const HEADERS = {
  value: {
    date: 'the time',
    'content-length': 'hosts are longer',
    location: 'the host',
    server: 'no region: LOCAL',
    'server-sb': 'no region: LOCAL',
    'x-ms-ratelimit-remaining-subscription-writes': 'nothing is counted',
    'x-ms-ratelimit-remaining-subscription-deletes': 'nothing is counted',
  },
  missing: {
    'transfer-encoding': 'answers have a length',
    'x-ms-messaging-activity-id': 'of an inner part of Azure; in some answers only',
    'x-ms-messaging-routing-id': 'of an inner part of Azure; in some answers only',
  },
};

describe('Microsoft.Relay of the emulator, beside recordings of Azure', () => {
  expectNothingLeft();
  const startArm = useArm();
  const used = new Set<Intended>();
  const names = ['relay-namespace-2023', 'relay-hyco-2023', 'webapp-hybridconnection-e2e-2023'];

  for (const name of names) {
    it(`answers the requests of ${name} in the same statuses, shapes, casing and values`, async () => {
      const interactions = recordedInteractions(name).filter(({ request }) => isOurs(request.url));
      notEqual(interactions.length, 0);
      const state = stateBefore(interactions);
      const under = await startArm({ state, behaviour: { provisioningMs: 45_000, removalMs: 60_000 } });
      for (const { n, request, response } of interactions) {
        const { pathname, search } = new URL(request.url);
        if (isSettled(response)) under.clock.advance(pendingMs(under));
        const answer = await under.ask(request.method, pathname + search, request.body ?? undefined);
        const where = `interaction ${n}: ${request.method} ${pathname}`;
        equal(answer.status, response.status, where);
        deepEqual(unmeant(response, answer, used), [], where);
        deepEqual(headerDifferences(response.headers, answer.headers, HEADERS), [], where);
        equal(answer.headers['content-type'], response.headers['content-type'], where);
        checkPlaces(response, answer, under);
      }
    });
  }

  it('differs in no way that is listed without need', () => {
    const stale = INTENDED.filter((entry) => !used.has(entry)).map(({ why }) => why);
    deepEqual(stale, []);
  });
});

/** What Microsoft.Relay and Resource Manager themselves answer. */
function isOurs(url: string): boolean {
  return (
    /\/providers\/Microsoft\.Relay\//i.test(url) || /\/resourcegroups\/[^/]*$/i.test(new URL(url).pathname)
  );
}

/** The groups that the requests name, and the namespaces of other tests that Azure listed besides. */
function stateBefore(interactions: readonly Interaction[]): EmulatorState {
  const state = createState();
  putSubscription(state, { displayName: 'Recorded', subscriptionId: RECORDED_SUBSCRIPTION }, 0);
  const texts = interactions.map(({ request, response }) => request.url + JSON.stringify(response.body));
  const groups = new Set(
    texts.flatMap((text) => [...text.matchAll(/resourcegroups\/([\w.-]+)/gi)].map(([, group = '']) => group)),
  );
  const isWestEurope = texts.some((text) => text.includes('westeurope'));
  for (const name of groups) {
    const location = isWestEurope ? 'westeurope' : 'westus2';
    state.resourceGroups.push({
      subscriptionId: RECORDED_SUBSCRIPTION,
      name,
      location,
      tags: tagsOf(interactions),
    });
  }
  for (const { name, id, tags, properties } of otherNamespaces(interactions)) {
    const [, , , , resourceGroup = ''] = id.split('/');
    const place = { subscriptionId: RECORDED_SUBSCRIPTION, resourceGroup, location: 'westus2' };
    const namespace = createNamespace(name, place, 0, tags);
    const forever = Number.MAX_SAFE_INTEGER;
    if (properties.status === 'Removing') namespace.provisioning = { state: 'Deleting', readyAtMs: forever };
    state.namespaces.push(namespace);
  }
  return state;
}

interface ListedNamespace {
  readonly id: string;
  readonly name: string;
  readonly tags: Record<string, string>;
  readonly properties: { readonly status: string };
}

function otherNamespaces(interactions: readonly Interaction[]): ListedNamespace[] {
  const own = interactions
    .filter(({ request }) => request.method === 'PUT')
    .map(({ request }) => request.url);
  const lists = interactions.flatMap(({ request, response }) =>
    /\/namespaces\?/.test(request.url) ? (response.body as { value: ListedNamespace[] }).value : [],
  );
  return lists.filter(({ id }) => !own.some((url) => url.includes(id)));
}

function tagsOf(interactions: readonly Interaction[]): Record<string, string> {
  const group = interactions.find(({ request }) =>
    /resourcegroups\/[^/]*$/i.test(new URL(request.url).pathname),
  );
  return (group?.response.body as { tags?: Record<string, string> } | undefined)?.tags ?? {};
}

/** False for answers about something that was not through yet. */
function isSettled({ body, status, headers }: Interaction['response']): boolean {
  const words = (body as { properties?: { status?: string } } | null)?.properties?.status;
  if (words === 'Activating') return false;
  return status !== 202 || headers['content-type'] === undefined;
}

/** How long until all that is under way is through; what Azure listed as being removed stays so. */
function pendingMs({ emulator }: ArmUnderTest): number {
  const isPending = emulator.state.namespaces.some(
    ({ provisioning }) => provisioning !== undefined && provisioning.readyAtMs < Number.MAX_SAFE_INTEGER,
  );
  return isPending ? LONG_MS : 0;
}

function unmeant({ body }: Interaction['response'], answer: ArmResponse, used: Set<Intended>): string[] {
  return differences(body ?? undefined, answer.body).flatMap(({ path, differs }) => {
    const intended = INTENDED.find((entry) => entry.differs === differs && entry.path.test(path));
    if (intended !== undefined) used.add(intended);
    return intended === undefined ? [`${path}: ${differs}`] : [];
  });
}

/** Where hosts and keys differ, the rest of the text does not. */
function checkPlaces(
  { body }: Interaction['response'],
  answer: ArmResponse,
  { emulator }: ArmUnderTest,
): void {
  const neutral = (value: unknown) =>
    JSON.stringify(value ?? null)
      .replaceAll(`servicebus.localhost:${emulator.port}`, 'HOST')
      .replaceAll(/servicebus\.windows\.net(?::443)?/g, 'HOST')
      .replaceAll(/[A-Za-z0-9+/]{43}=|ZmFrZS1rZXk[A-Za-z0-9+/]*=?/g, 'KEY')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?Z/g, 'TIME');
  equal(neutral(answer.body), neutral(body));
}
