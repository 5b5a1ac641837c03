/**
 * What namespaces, hybrid connections and rules look like in answers. Casing of types and of segments of ids differs from
 * place to place, and is as recorded in 2023: clients have to cope with it.
 */
import type { ConnectionState, NamespaceState, RuleState } from '../../state.ts';
import { CLOUD_SUFFIXES } from '../../../protocol/relay-hosts.ts';
import { locationDisplayName } from '../locations.ts';
import { stateWords } from './provisioning.ts';
import { hasNetwork, hasTls } from './relay-versions.ts';

const DEFAULT_TLS = '1.2';

export interface View {
  readonly apiVersion: string;
  /** The port in endpoints: the one that the client reached. */
  readonly port: string;
}

/** The port of a client's base address, as endpoints name it. */
export function portOf(baseUrl: string): string {
  const { port, protocol } = new URL(baseUrl);
  return port || (protocol === 'http:' ? '80' : '443');
}

export function namespaceHost({ name }: NamespaceState): string {
  return `${name}.${CLOUD_SUFFIXES.local}`;
}

export function namespaceId({ subscriptionId, resourceGroup, name }: NamespaceState): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Relay/namespaces/${name}`;
}

export function namespaceView(namespace: NamespaceState, { apiVersion, port }: View): object {
  const { name, location, tags, subscriptionId, createdAt, updatedAt } = namespace;
  const isNewest = hasNetwork(apiVersion);
  const { provisioningState, status } = stateWords(namespace, isNewest);
  return {
    sku: { name: 'Standard', tier: 'Standard' },
    id: namespaceId(namespace),
    ...{ name, type: 'Microsoft.Relay/Namespaces' },
    location: isNewest ? location : locationDisplayName(location),
    tags,
    properties: {
      ...(hasTls(apiVersion) && { minimumTlsVersion: namespace.minimumTlsVersion ?? DEFAULT_TLS }),
      ...(isNewest && { publicNetworkAccess: namespace.publicNetworkAccess ?? 'Enabled' }),
      provisioningState,
      metricId: `${subscriptionId}:${name}`,
      createdAt: timeText(createdAt),
      updatedAt: timeText(updatedAt),
      serviceBusEndpoint: `https://${namespaceHost(namespace)}:${port}/`,
      status,
      ...(hasTls(apiVersion) && { errors: [] }),
    },
  };
}

export function connectionId(namespace: NamespaceState, { name }: ConnectionState): string {
  return `${namespaceId(namespace)}/hybridconnections/${encodeURIComponent(name)}`;
}

export function connectionView(
  namespace: NamespaceState,
  connection: ConnectionState,
  listenerCount: number,
): object {
  const { name, requiresClientAuthorization, userMetadata, createdAt, updatedAt } = connection;
  return {
    id: connectionId(namespace, connection),
    ...{ name, type: 'Microsoft.Relay/namespaces/hybridconnections', location: namespace.location },
    properties: {
      createdAt: timeText(createdAt),
      updatedAt: timeText(updatedAt),
      listenerCount,
      requiresClientAuthorization,
      ...(userMetadata !== '' && { userMetadata }),
    },
  };
}

export interface RuleOwner {
  readonly namespace: NamespaceState;
  readonly connection?: ConnectionState;
}

/** @param isEcho the answer to a PUT, which has another casing, and for a connection's rule no location. */
export function ruleView({ namespace, connection }: RuleOwner, rule: RuleState, isEcho: boolean): object {
  const { name, rights } = rule;
  const owner = namespaceId(namespace);
  const base = isEcho ? owner : owner.replace('/resourceGroups/', '/resourcegroups/');
  const rules = isEcho ? 'authorizationRules' : 'authorizationrules';
  const { location } = namespace;
  const properties = { rights: [...rights] };
  if (connection === undefined) {
    const type = 'Microsoft.Relay/Namespaces/AuthorizationRules';
    return { id: `${base}/${rules}/${name}`, name, type, location, properties };
  }
  const connections = isEcho ? 'hybridConnections' : 'hybridconnections';
  return {
    id: `${base}/${connections}/${encodeURIComponent(connection.name)}/${rules}/${name}`,
    ...{ name, type: 'Microsoft.Relay/namespaces/hybridconnections/authorizationrules' },
    ...(!isEcho && { location }),
    properties,
  };
}

/**
 * Keys and connection strings of a rule, in the order in which .NET reads them.
 * @param host of the namespace, in the connection strings
 */
export function keysView({ connection }: RuleOwner, rule: RuleState, host: string, port: string): object {
  const { name, primaryKey, secondaryKey } = rule;
  const authority = port === '443' ? host : `${host}:${port}`;
  const path = connection === undefined ? '' : `;EntityPath=${connection.name}`;
  const stringOf = (key: string) =>
    `Endpoint=sb://${authority}/;SharedAccessKeyName=${name};SharedAccessKey=${key}${path}`;
  return {
    primaryConnectionString: stringOf(primaryKey),
    secondaryConnectionString: stringOf(secondaryKey),
    ...{ primaryKey, secondaryKey, keyName: name },
  };
}

/** As .NET writes times: no zeros at the end of the fraction. */
function timeText(iso: string): string {
  return iso.replace(/\.?0+Z$/, 'Z');
}
