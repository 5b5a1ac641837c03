/**
 * Hybrid connections attached to an app or a slot: App Service's own record, which names the target and holds a send
 * key. It never gives the key back (`sendKeyValue` is "" in every answer of an app).
 */
import type { HybridConnection } from '@azure/arm-appservice';
import type { Target } from '../../protocol/target.ts';
import { appName, type AppRef } from './apps.ts';
import type { Azure } from './azure.ts';
import { callWeb, orGone } from './web-call.ts';

export interface SiteRelay {
  readonly namespace: string;
  readonly connection: string;
  /** The resource id of the hybrid connection; it may be in another subscription. */
  readonly relayId: string;
  readonly target: Target;
  /** The rule that the app signs with. */
  readonly keyName: string;
  /** `.servicebus.windows.net`; with a port where the relay is not on 443. */
  readonly suffix: string;
}

/** A list whose type in the SDK is one object: its `value` comes through, nested as on the wire. */
interface RelayList {
  value?: { properties?: HybridConnection }[];
}

export async function listSiteRelays(azure: Azure, app: AppRef): Promise<SiteRelay[]> {
  const { resourceGroup, name, slot } = app;
  const about = `the hybrid connections of the app "${appName(app)}"`;
  const answer: RelayList = await callWeb(azure, about, async ({ webApps }) =>
    slot === undefined
      ? ((await webApps.listHybridConnections(resourceGroup, name)) as RelayList)
      : ((await webApps.listHybridConnectionsSlot(resourceGroup, name, slot)) as RelayList),
  );
  return (answer.value ?? []).flatMap(({ properties }) => (properties ? [toSiteRelay(properties)] : []));
}

/**
 * Attaches, or writes over what is attached. All eight properties are sent: without the key the PUT succeeds, looks
 * connected, and cannot connect (terraform-provider-azurerm#23761).
 */
export async function putSiteRelay(
  azure: Azure,
  app: AppRef,
  relay: SiteRelay & { key: string },
): Promise<void> {
  const { resourceGroup, name, slot } = app;
  const { namespace, connection, relayId, target, keyName, key, suffix } = relay;
  const envelope: HybridConnection = {
    serviceBusNamespace: namespace,
    relayName: connection,
    relayArmUri: relayId,
    hostname: target.host,
    port: target.port,
    sendKeyName: keyName,
    sendKeyValue: key,
    serviceBusSuffix: suffix,
  };
  await callWeb(azure, attachment('attaching ', app, namespace, connection), async ({ webApps }) => {
    if (slot === undefined) {
      await webApps.createOrUpdateHybridConnection(resourceGroup, name, namespace, connection, envelope);
    } else {
      await webApps.createOrUpdateHybridConnectionSlot(
        resourceGroup,
        name,
        namespace,
        connection,
        slot,
        envelope,
      );
    }
  });
}

/** False when it was not attached. */
export async function deleteSiteRelay(
  azure: Azure,
  app: AppRef,
  { namespace, connection }: Pick<SiteRelay, 'namespace' | 'connection'>,
): Promise<boolean> {
  const { resourceGroup, name, slot } = app;
  const deleted = await orGone(
    callWeb(azure, attachment('detaching ', app, namespace, connection), async ({ webApps }) => {
      if (slot === undefined)
        await webApps.deleteHybridConnection(resourceGroup, name, namespace, connection);
      else await webApps.deleteHybridConnectionSlot(resourceGroup, name, namespace, connection, slot);
      return true;
    }),
  );
  return deleted ?? false;
}

/** What an app or a plan says of an attached connection. */
export function toSiteRelay(relay: HybridConnection): SiteRelay {
  return {
    namespace: relay.serviceBusNamespace ?? '',
    connection: relay.relayName ?? '',
    relayId: relay.relayArmUri ?? '',
    target: { host: relay.hostname ?? '', port: relay.port ?? 0 },
    keyName: relay.sendKeyName ?? '',
    suffix: relay.serviceBusSuffix ?? '',
  };
}

/** Names in Azure have no case. */
export function isSameRelay(
  one: Pick<SiteRelay, 'namespace' | 'connection'>,
  other: Pick<SiteRelay, 'namespace' | 'connection'>,
): boolean {
  const name = ({ namespace, connection }: Pick<SiteRelay, 'namespace' | 'connection'>) =>
    `${namespace}/${connection}`.toLowerCase();
  return name(one) === name(other);
}

function attachment(doing: string, app: AppRef, namespace: string, connection: string): string {
  return `${doing}the hybrid connection "${namespace}/${connection}" at the app "${appName(app)}"`;
}
