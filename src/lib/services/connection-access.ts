/**
 * From NAMESPACE/NAME to what a tunnel needs: where the relay is, and tokens for it. With keys that ARM gives (those of
 * the rule with the fewest rights that will do), or with Entra ID, where no key leaves Azure.
 */
import { HcmError } from '../../protocol/errors.ts';
import {
  isLoopbackName,
  isRelayNamespaceHost,
  normalizeHost,
  type Endpoint,
} from '../../protocol/relay-hosts.ts';
import { systemClock, type Clock } from '../../tunnel/clock.ts';
import type { Connection } from '../../tunnel/options.ts';
import {
  entraTokens,
  lookedUpKeyTokens,
  type Token,
  type TokenProvider,
} from '../../tunnel/token-provider.ts';
import type { Azure } from '../arm/azure.ts';
import { getConnection, type HybridConnection } from '../arm/connections.ts';
import { findNamespace, getNamespace, type Namespace } from '../arm/namespaces.ts';
import { ownerName, type RuleOwner } from '../arm/references.ts';
import { listKeys, listRules, type Rule } from '../arm/rules.ts';
import type { Cloud } from '../auth/cloud.ts';
import { DEFAULT_RULES } from './default-rules.ts';

export type RelayRight = 'Listen' | 'Send';

/** A hybrid connection as somebody named it. */
export interface WantedConnection {
  /** Its name, or its host with or without a port. */
  readonly namespace: string;
  readonly name: string;
  /** Where to look: default, all of the subscription in use. Both are known of a resource id. */
  readonly subscriptionId?: string | undefined;
  readonly resourceGroup?: string | undefined;
}

export interface FoundConnection {
  readonly namespace: Namespace;
  readonly connection: HybridConnection;
}

const HTTPS_PORT = 443;

/** @throws HcmError HCM_RESOURCE_NOT_FOUND, HCM_RESOURCE_AMBIGUOUS, and what the calls give. */
export async function findConnection(azure: Azure, wanted: WantedConnection): Promise<FoundConnection> {
  const namespace = await findWantedNamespace(azure, wanted);
  const { subscriptionId, resourceGroup, name } = namespace;
  const ref = { subscriptionId, resourceGroup, name, connection: wanted.name };
  const connection = await getConnection(azure, ref);
  if (connection !== undefined) return { namespace, connection };
  throw new HcmError('HCM_RESOURCE_NOT_FOUND', `There is no hybrid connection "${ownerName(ref)}".`, {
    details: { next: `hcm connection list ${name}` },
  });
}

async function findWantedNamespace(azure: Azure, wanted: WantedConnection): Promise<Namespace> {
  const { namespace: name, subscriptionId, resourceGroup } = wanted;
  if (subscriptionId === undefined || resourceGroup === undefined) {
    return findNamespace(
      subscriptionId === undefined ? azure : azure.in(subscriptionId),
      name,
      resourceGroup,
    );
  }
  const namespace = await getNamespace(azure, { subscriptionId, resourceGroup, name });
  if (namespace !== undefined) return namespace;
  throw new HcmError(
    'HCM_RESOURCE_NOT_FOUND',
    `There is no namespace "${name}" in the resource group "${resourceGroup}" of the subscription ${subscriptionId}.`,
  );
}

/**
 * With a key that ARM gives now, and gives again when the relay refuses it. An anonymous sender needs none.
 * @throws as `findConnection`; HCM_RIGHT_MISSING when no rule has the right, HCM_AZURE_FORBIDDEN when keys may not be read.
 */
export async function accessByKey(
  azure: Azure,
  wanted: WantedConnection,
  right: RelayRight,
  clock: Clock = systemClock,
): Promise<Connection> {
  const { namespace, connection } = await findConnection(azure, wanted);
  const endpoint = endpointOf(namespace, azure.cloud);
  const path = connection.connection;
  const rule = await narrowestRule(azure, { namespace, connection }, right);
  if (rule === undefined && right === 'Send' && !connection.requiresClientAuthorization)
    return { endpoint, path };
  if (rule === undefined) throw noRule(connection, right);
  const lookUp = () => readKey(azure, rule.owner, rule.name);
  const tokens = lookedUpKeyTokens(lookUp, clock);
  // Whether the key may be read should be known before anything is started.
  await tokens.token({ host: endpoint.host, path });
  return { endpoint, path, tokens };
}

/** @throws HcmError as `listKeys`; what to do without the right to read keys is said. */
export async function readKey(
  azure: Azure,
  owner: RuleOwner,
  rule: string,
): Promise<{ keyName: string; key: string }> {
  try {
    const { primaryKey } = await listKeys(azure, owner, rule);
    return { keyName: rule, key: primaryKey };
  } catch (error) {
    if (!(error instanceof HcmError) || error.code !== 'HCM_AZURE_FORBIDDEN') throw error;
    const next = 'Ask for a role with listKeys on it (such as Azure Relay Owner), or use --entra';
    throw new HcmError(error.code, error.message, { details: { ...error.details, next }, cause: error });
  }
}

/** Rules of the connection come first; those of the whole namespace open all of it, so they are the last resort. */
async function narrowestRule(
  azure: Azure,
  { namespace, connection }: FoundConnection,
  right: RelayRight,
): Promise<{ owner: RuleOwner; name: string } | undefined> {
  for (const owner of [connection, namespace]) {
    const rule = pickRule(await listRules(azure, owner), right);
    if (rule !== undefined) return { owner, name: rule.name };
  }
  return undefined;
}

/** The rule made for the right, else the one with the fewest rights. */
export function pickRule(rules: readonly Rule[], right: RelayRight): Rule | undefined {
  const made = DEFAULT_RULES[right].toLowerCase();
  const rank = ({ name, rights }: Rule) => (name.toLowerCase() === made ? 0 : rights.length);
  return rules.filter(({ rights }) => rights.includes(right)).sort((a, b) => rank(a) - rank(b))[0];
}

function noRule(connection: HybridConnection, right: RelayRight): HcmError {
  const name = ownerName(connection);
  return new HcmError('HCM_RIGHT_MISSING', `No rule of "${name}" has the right ${right}.`, {
    details: { next: `hcm rule create ${name} ${DEFAULT_RULES[right]} --rights ${right}` },
  });
}

/** With tokens of Entra ID. Nothing is asked of ARM: the name of the namespace and the cloud tell where it is. */
export function accessByEntra(
  cloud: Cloud,
  wanted: WantedConnection,
  getToken: () => Promise<Token>,
): Connection {
  return {
    endpoint: endpointByName(wanted.namespace, cloud),
    path: wanted.name,
    tokens: entraTokensOf(cloud, getToken),
  };
}

/**
 * Tokens of Entra ID for hosts of relays, and for no others: each opens whatever the identity may do at any relay, so that a
 * host of somebody else's, in a name or in a connection string, must not get one. HCM_CONNECTION_INVALID otherwise.
 */
export function entraTokensOf(cloud: Cloud, getToken: () => Promise<Token>): TokenProvider {
  const tokens = entraTokens(getToken);
  return {
    ...tokens,
    token: (entity) => {
      if (isRelayOf(cloud, entity.host)) return tokens.token(entity);
      const text = `${entity.host} is no relay of the cloud ${cloud.name} (*.${cloud.relaySuffix}): it gets no token of Entra ID.`;
      return Promise.reject(
        new HcmError('HCM_CONNECTION_INVALID', text, { details: { reason: 'foreign-host' } }),
      );
    },
  };
}

function isRelayOf({ relaySuffix }: Cloud, host: string): boolean {
  const name = normalizeHost(host);
  return isRelayNamespaceHost(name) || name.endsWith(`.${relaySuffix}`) || isLoopbackName(name);
}

/** What the namespace itself says; its host holds the port where that is not 443. */
function endpointOf({ name, host }: Namespace, cloud: Cloud): Endpoint {
  return endpointByName(host === '' ? name : host, cloud);
}

/** A word is the namespace's name, anything else its host. */
export function endpointByName(name: string, { relaySuffix, relayPort = HTTPS_PORT }: Cloud): Endpoint {
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(name) ?? [];
  const isName = /^[a-z0-9-]+$/i.test(host) && host.toLowerCase() !== 'localhost';
  return {
    host: normalizeHost(isName ? `${host}.${relaySuffix}` : host),
    port: port === undefined ? relayPort : Number(port),
  };
}
