/** A hybrid connection of an app or of a plan: from a request's body, and into an answer (recorded Nov 2023). */
import { findByName, type EmulatorState } from '../../state.ts';
import type { SiteRelayState } from '../../web-state.ts';
import { recordIn } from '../body.ts';
import { locationDisplayName } from '../locations.ts';
import { sameId } from './app-resource.ts';
import { invalidParameter, notFound } from './web-error.ts';

const DEFAULT_SUFFIX = '.servicebus.windows.net';

const RELAY_ID =
  /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Relay\/namespaces\/([^/]+)\/hybridConnections\/(.+)$/i;

/** What owns it: the resource id of an app, a slot or a plan, its type and region. */
export interface RelayOwner {
  readonly id: string;
  readonly type: 'sites' | 'serverfarms';
  readonly location: string;
}

/** The send key is never in it: App Service answers ''. */
export function relayBody(owner: RelayOwner, relay: SiteRelayState): object {
  return {
    ...relayHead(owner, relay),
    properties: {
      ...{ serviceBusNamespace: relay.namespace, relayName: relay.name, relayArmUri: relay.relayArmUri },
      ...{ hostname: relay.hostname, port: relay.port, sendKeyName: relay.sendKeyName, sendKeyValue: '' },
      serviceBusSuffix: relay.serviceBusSuffix,
    },
  };
}

/** The answer of the plan's listKeys, the only one with the send key. */
export function relayKeyBody(owner: RelayOwner, relay: SiteRelayState): object {
  const { sendKeyName, sendKeyValue } = relay;
  return { ...relayHead(owner, relay), properties: { sendKeyName, sendKeyValue } };
}

function relayHead({ id, type, location }: RelayOwner, { namespace, name }: SiteRelayState): object {
  return {
    id: `${id}/hybridConnectionNamespaces/${namespace}/relays/${name}`,
    name,
    // The same for slots. [rec]
    type: `Microsoft.Web/${type}/hybridConnectionNamespaces/relays`,
    location: locationDisplayName(location),
  };
}

/**
 * The attachment that a body asks for. Without `existing` (PUT) what is missing is empty, as App Service has it: a
 * connection without a send key is attached and cannot connect (terraform-provider-azurerm#23761).
 * @throws ArmError 400 for what cannot be one, 404 when `relayArmUri` leads nowhere.
 */
export function parseRelay(
  names: { namespace: string; name: string },
  body: unknown,
  state: EmulatorState,
  existing?: SiteRelayState,
): SiteRelayState {
  const given = recordIn(body, 'properties');
  const text = (key: string, otherwise: string): string => {
    const value = given[key];
    if (value === undefined || value === null) return otherwise;
    if (typeof value !== 'string') throw invalidParameter(key);
    return value;
  };
  const relay: SiteRelayState = {
    namespace: names.namespace,
    name: names.name,
    relayArmUri: text('relayArmUri', existing?.relayArmUri ?? ''),
    hostname: text('hostname', existing?.hostname ?? ''),
    port: Number(given['port'] ?? existing?.port),
    sendKeyName: text('sendKeyName', existing?.sendKeyName ?? ''),
    sendKeyValue: text('sendKeyValue', existing?.sendKeyValue ?? ''),
    serviceBusSuffix: text('serviceBusSuffix', existing?.serviceBusSuffix ?? DEFAULT_SUFFIX),
  };
  if (relay.hostname === '') throw invalidParameter('hostname');
  if (!Number.isInteger(relay.port) || relay.port < 1 || relay.port > 65_535) throw invalidParameter('port');
  requireConnection(state, relay.relayArmUri);
  return relay;
}

function requireConnection(state: EmulatorState, relayArmUri: string): void {
  const [, subscriptionId, resourceGroup, namespaceName, name] = RELAY_ID.exec(relayArmUri) ?? [];
  if (!subscriptionId || !resourceGroup || !namespaceName || !name) throw invalidParameter('relayArmUri');
  const namespace = state.namespaces.find(
    (item) =>
      sameId(item.subscriptionId, subscriptionId) &&
      sameId(item.resourceGroup, resourceGroup) &&
      sameId(item.name, namespaceName),
  );
  const connection = namespace && findByName(namespace.connections, name.replace(/%2f/gi, '/'));
  if (connection === undefined) throw notFound('HybridConnection', name);
}
