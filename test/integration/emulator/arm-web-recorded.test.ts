/**
 * App Service of the emulator beside App Service: the requests of a recording (azure-cli's end-to-end test of hybrid
 * connections, Nov 2023) are made again, and the answers compared, key by key and value by value. What is meant to
 * differ is listed here and in docs/emulator.md.
 */
import { deepEqual, equal } from 'node:assert/strict';
import {
  createNamespace,
  createState,
  putConnection,
  type EmulatorState,
} from '../../../src/emulator/state.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { useArm } from './arm-under-test.ts';
import { differences, headerDifferences, recordedInteractions, type Intended } from './recording.ts';

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

const HEADERS = {
  value: {
    date: 'the time',
    etag: 'the time of the last change',
    'content-length': 'hosts are longer',
    'x-ms-ratelimit-remaining-subscription-writes': 'nothing is counted',
    'x-ms-ratelimit-remaining-subscription-deletes': 'nothing is counted',
  },
  missing: {
    'transfer-encoding': 'answers have a length',
    'x-ms-ratelimit-remaining-subscription-resource-requests': 'one counter is told, of writes',
  },
};

describe('App Service of the emulator, beside a recording of Azure', () => {
  expectNothingLeft();
  const startArm = useArm();

  const interactions = recordedInteractions('webapp-hybridconnection-e2e-2023').filter(({ request }) =>
    /\/Microsoft\.Web\//.test(request.url),
  );

  it('answers the recorded requests in the same statuses, shapes, casing and values', async () => {
    const { ask } = await startArm({ state: recordedState() });
    const used = new Set<Intended>();
    equal(interactions.length, 15);
    for (const { n, request, response } of interactions) {
      const { pathname, search } = new URL(request.url);
      const answer = await ask(request.method, pathname + search, request.body ?? undefined);
      const where = `interaction ${n}: ${request.method} ${pathname}`;
      equal(answer.status, response.status, where);
      const found = differences(response.body ?? undefined, answer.body);
      const unmeant = found.filter(({ path, differs }) => {
        const intended = INTENDED.find((entry) => entry.differs === differs && entry.path.test(path));
        if (intended !== undefined) used.add(intended);
        return intended === undefined;
      });
      deepEqual(unmeant, [], where);
      deepEqual(headerDifferences(response.headers, answer.headers, HEADERS), [], where);
    }
    const stale = INTENDED.filter((entry) => !used.has(entry)).map(({ why }) => why);
    deepEqual(stale, [], 'every intended difference is one');
  });
});

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
