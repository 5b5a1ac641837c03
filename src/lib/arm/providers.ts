/** Resource providers: whether a subscription may use one, making it so, and where its resources can be. */
import type { Azure } from './azure.ts';
import { waitUntil } from './long-operation.ts';

export interface Provider {
  readonly namespace: string;
  readonly registered: boolean;
  /** `Registered`, `Registering`, `NotRegistered`. */
  readonly registrationState: string;
  /** The locations of each type, as Azure displays them (`West Europe`); the types in lower case. */
  readonly locations: ReadonlyMap<string, readonly string[]>;
}

const API_VERSION = '2021-04-01';
/** Seen to take 70 s. */
const REGISTRATION_TIMEOUT_MS = 300_000;

export async function getProvider(azure: Azure, namespace: string): Promise<Provider> {
  const { body } = await azure.send<WireProvider>({
    ...{ method: 'GET', path: providerPath(azure, namespace), apiVersion: API_VERSION },
    about: `the resource provider ${namespace}`,
  });
  return toProvider(namespace, body);
}

/**
 * Resolves when the subscription may use the provider.
 * @throws HcmError HCM_AZURE_FORBIDDEN when the account may not register it; as `waitUntil`.
 */
export async function registerProvider(azure: Azure, namespace: string): Promise<void> {
  const about = `registering the resource provider ${namespace}`;
  const next = `az provider register --namespace ${namespace} --subscription ${azure.subscriptionId}`;
  azure.report(about);
  await azure.send({
    ...{ method: 'POST', path: `${providerPath(azure, namespace)}/register`, apiVersion: API_VERSION, about },
  });
  const wait = { about, timeoutMs: REGISTRATION_TIMEOUT_MS, resume: next };
  await waitUntil(azure, wait, async () => {
    const { registered, registrationState } = await getProvider(azure, namespace);
    return { done: registered, state: registrationState };
  });
}

function providerPath({ subscriptionId }: Azure, namespace: string): string {
  return `/subscriptions/${subscriptionId}/providers/${namespace}`;
}

interface WireProvider {
  registrationState?: string;
  resourceTypes?: { resourceType?: string; locations?: string[] }[];
}

function toProvider(
  namespace: string,
  { registrationState = '', resourceTypes = [] }: WireProvider,
): Provider {
  return {
    namespace,
    registrationState,
    registered: /^registered$/i.test(registrationState),
    locations: new Map(
      resourceTypes.map(({ resourceType = '', locations = [] }) => [resourceType.toLowerCase(), locations]),
    ),
  };
}
