/** WCF relays: an older kind of relay, which may live in the same namespaces. Only seen, never touched. */
import type { Azure } from './azure.ts';
import type { NamespaceRef } from './references.ts';
import { callRelay } from './relay-call.ts';
import { collect, orGone } from './web-call.ts';

/** Their names; none where a cloud does not know them. */
export async function listWcfRelays(azure: Azure, namespace: NamespaceRef): Promise<string[]> {
  const { subscriptionId, resourceGroup, name } = namespace;
  const about = `the WCF relays of the namespace "${name}"`;
  const items = await orGone(
    callRelay(azure, { subscriptionId, about }, (relay) =>
      collect(relay.wCFRelays.listByNamespace(resourceGroup, name)),
    ),
  );
  return (items ?? []).map((item) => item.name ?? '');
}
