/**
 * App Service of the emulator beside App Service: the requests of a recording (azure-cli's end-to-end test of hybrid
 * connections, Nov 2023) are made again, and the answers compared, key by key and value by value. What is meant to
 * differ is listed here and in docs/emulator.md.
 */
import { deepEqual, equal } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  createNamespace,
  createState,
  putConnection,
  type EmulatorState,
} from '../../../src/emulator/state.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { useArm } from './arm-web-client.ts';

interface Interaction {
  readonly n: number;
  readonly request: { readonly method: string; readonly url: string; readonly body: unknown };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | readonly string[]>>;
    readonly body: unknown;
  };
}

/** `path` of what differs, and in what: its value, or its JSON type. */
interface Intended {
  readonly path: RegExp;
  readonly differs: 'value' | 'type';
  readonly why: string;
}

const INTENDED: readonly Intended[] = [
  { path: /\.(?:serverFarmId|mdmId)$/, differs: 'value', why: 'a number that Azure gives' },
  { path: /\.(?:createdTime|lastModifiedTimeUtc)$/, differs: 'value', why: 'the time' },
  { path: /\.(?:selfLink|homeStamp|ftpsHostName|ftpUsername)$/, differs: 'value', why: 'a stamp of Azure' },
  {
    path: /\.(?:hostNames|enabledHostNames|hostNameSslStates|defaultHostName)\b/,
    differs: 'value',
    why: 'azurewebsites.localhost instead of azurewebsites.net: nobody is sent to a stranger',
  },
  {
    path: /(?:InboundIpAddress(?:es)?|inboundIpAddress|OutboundIpAddresses|outboundIpAddresses)$/,
    differs: 'value',
    why: '127.0.0.1',
  },
  { path: /\.customDomainVerificationId$/, differs: 'value', why: 'made from the subscription' },
  { path: /\.netFrameworkVersion$/, differs: 'value', why: 'as it was asked for: Azure makes v4.0 of v4.6' },
  { path: /\.deploymentId$/, differs: 'value', why: "the slot's part is made from its name" },
];

/** Headers that are not compared by value, or not sent. */
const HEADERS: Readonly<Record<string, string>> = {
  date: 'the time',
  etag: 'the time of the last change',
  'content-length': 'hosts are longer',
  'transfer-encoding': 'answers have a length',
  'x-ms-ratelimit-remaining-subscription-writes': 'nothing is counted',
  'x-ms-ratelimit-remaining-subscription-deletes': 'nothing is counted',
  'x-ms-ratelimit-remaining-subscription-resource-requests': 'one counter is told, of writes',
};
const NOT_SENT = new Set(['transfer-encoding', 'x-ms-ratelimit-remaining-subscription-resource-requests']);

describe('App Service of the emulator, beside a recording of Azure', () => {
  expectNothingLeft();
  const startArm = useArm();

  const interactions = recordedInteractions().filter(({ request }) => /\/Microsoft\.Web\//.test(request.url));

  it('answers the recorded requests in the same statuses, shapes, casing and values', async () => {
    const { ask } = await startArm({ state: recordedState() });
    const used = new Set<Intended>();
    equal(interactions.length, 15);
    for (const { n, request, response } of interactions) {
      const { pathname, search } = new URL(request.url);
      const answer = await ask(request.method, pathname + search, request.body);
      const where = `interaction ${n}: ${request.method} ${pathname}`;
      equal(answer.status, response.status, where);
      const found = differences(response.body ?? undefined, answer.body, '');
      const unmeant = found.filter(({ path, differs }) => {
        const intended = INTENDED.find((entry) => entry.differs === differs && entry.path.test(path));
        if (intended !== undefined) used.add(intended);
        return intended === undefined;
      });
      deepEqual(unmeant, [], where);
      deepEqual(headerDifferences(response.headers, answer.headers), [], where);
    }
    const stale = INTENDED.filter((entry) => !used.has(entry)).map(({ why }) => why);
    deepEqual(stale, [], 'every intended difference is one');
  });
});

function recordedInteractions(): readonly Interaction[] {
  const file = new URL('../../fixtures/recordings/webapp-hybridconnection-e2e-2023.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { interactions: Interaction[] }).interactions;
}

/** The recording's subscription, group and hybrid connection, which az made by requests to Microsoft.Relay. */
function recordedState(): EmulatorState {
  const fresh = createState();
  const subscriptionId = '00000000-0000-0000-0000-000000000000';
  const text = JSON.stringify(fresh).replaceAll(fresh.subscriptionId, subscriptionId);
  const state = JSON.parse(text) as EmulatorState;
  const group = { subscriptionId, name: 'clitest.rg000001', location: 'westeurope', tags: {} };
  state.resourceGroups.push(group);
  const place = { subscriptionId, resourceGroup: group.name, location: group.location };
  const namespace = createNamespace('hcnamespace000004', place, 0);
  putConnection(namespace, { name: 'hcname000005', target: 'vmsq1:80' }, 0);
  state.namespaces.push(namespace);
  return state;
}

interface Difference {
  readonly path: string;
  readonly differs: 'value' | 'type' | 'only Azure' | 'only here';
}

function differences(azure: unknown, ours: unknown, path: string): Difference[] {
  if (typeOf(azure) !== typeOf(ours)) return [{ path, differs: 'type' }];
  if (typeof azure !== 'object' || azure === null) return azure === ours ? [] : [{ path, differs: 'value' }];
  const [theirs, mine] = [azure as Record<string, unknown>, ours as Record<string, unknown>];
  const keys = [...new Set([...Object.keys(theirs), ...Object.keys(mine)])];
  return keys.flatMap((key): Difference[] => {
    const at = `${path}.${key}`;
    if (!(key in mine)) return [{ path: at, differs: 'only Azure' }];
    if (!(key in theirs)) return [{ path: at, differs: 'only here' }];
    return differences(theirs[key], mine[key], at);
  });
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
}

function headerDifferences(
  azure: Readonly<Record<string, string | readonly string[]>>,
  ours: Readonly<Record<string, unknown>>,
): string[] {
  return Object.entries(azure).flatMap(([name, value]) => {
    if (!(name in ours)) return NOT_SENT.has(name) ? [] : [`${name} is missing`];
    return name in HEADERS || ours[name] === value ? [] : [`${name}: ${String(ours[name])}`];
  });
}
