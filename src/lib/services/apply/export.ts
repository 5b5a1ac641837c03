/** What exists in Azure, as the declarations that would make it. Keys are neither read nor written. */
import type { App } from '../../arm/apps.ts';
import type { Azure } from '../../arm/azure.ts';
import { listConnections, type HybridConnection } from '../../arm/connections.ts';
import { findNamespace, isRemoving, listNamespaces, type Namespace } from '../../arm/namespaces.ts';
import { ownerName } from '../../arm/references.ts';
import { listRules, type Rule } from '../../arm/rules.ts';
import type {
  AppDeclaration,
  AzureDeclaration,
  ConnectionDeclaration,
  NamespaceDeclaration,
} from '../../config/hcm-yaml/declaration.ts';
import { listAppConnections, type AppConnections } from '../apps.ts';
import { DEFAULT_RULES } from '../default-rules.ts';
import { plainLocation } from '../namespace-place.ts';
import { mapAtMost } from '../parallel.ts';
import { ROOT_RULE } from './destroy-plan.ts';
import { sameName } from './existing.ts';
import { unlessForbidden } from './read-attachments.ts';
import { toExisting } from './read-existing.ts';

export interface ExportRequest {
  /** By name; none: all of the subscription, or of the resource group. */
  namespaces: readonly string[];
  resourceGroup?: string | undefined;
}

export interface Export {
  readonly declared: AzureDeclaration;
  /** What exists and cannot be declared, for people. */
  readonly leftOut: readonly string[];
}

/** Calls in flight: quick, and far from what ARM throttles. */
const CALLS_AT_ONCE = 4;

/** @throws HcmError HCM_RESOURCE_NOT_FOUND for a namespace that was named, and what the calls give. */
export async function exportAzure(azure: Azure, request: ExportRequest): Promise<Export> {
  const [namespaces, apps] = await Promise.all([
    findNamespaces(azure, request),
    unlessForbidden(listAppConnections(azure)),
  ]);
  const exporter = new Exporter(azure, apps ?? []);
  if (apps === undefined) exporter.leftOut.push('attached apps: this account may not read apps');
  const declared = await mapAtMost(CALLS_AT_ONCE, namespaces, (one) => exporter.namespace(one));
  return {
    declared: { subscription: azure.subscriptionId, namespaces: declared },
    leftOut: exporter.leftOut,
  };
}

async function findNamespaces(
  azure: Azure,
  { namespaces, resourceGroup }: ExportRequest,
): Promise<Namespace[]> {
  if (namespaces.length === 0) {
    return (await listNamespaces(azure, resourceGroup)).filter((namespace) => !isRemoving(namespace));
  }
  return mapAtMost(CALLS_AT_ONCE, [...new Set(namespaces)], (name) =>
    findNamespace(azure, name, resourceGroup),
  );
}

class Exporter {
  readonly leftOut: string[] = [];
  readonly #azure: Azure;
  readonly #apps: readonly AppConnections[];

  constructor(azure: Azure, apps: readonly AppConnections[]) {
    this.#azure = azure;
    this.#apps = apps;
  }

  async namespace(namespace: Namespace): Promise<NamespaceDeclaration> {
    const { name, resourceGroup, location, tags } = namespace;
    const [rules, connections] = await Promise.all([
      listRules(this.#azure, namespace),
      listConnections(this.#azure, namespace),
    ]);
    return {
      ...{ name, resourceGroup, location: plainLocation(location), tags },
      rules: rules.filter((rule) => !sameName(rule.name, ROOT_RULE)),
      connections: await mapAtMost(CALLS_AT_ONCE, connections, (one) => this.#connection(one)),
    };
  }

  async #connection(connection: HybridConnection): Promise<ConnectionDeclaration> {
    const { target, readableMetadata } = toExisting(connection);
    const { requiresClientAuthorization } = connection;
    if (!readableMetadata)
      this.leftOut.push(`the metadata of ${ownerName(connection)}: it is no list of entries`);
    const rules = await listRules(this.#azure, connection);
    return {
      name: connection.connection,
      ...(target === undefined ? {} : { target }),
      ...(requiresClientAuthorization ? {} : { requiresClientAuthorization }),
      rules: rules.filter((rule) => !isDefault(rule)),
      apps: this.#attached(connection, target !== undefined && requiresClientAuthorization),
    };
  }

  #attached(connection: HybridConnection, attachable: boolean): AppDeclaration[] {
    const apps = this.#apps
      .filter(({ connections }) =>
        connections.some(
          (relay) =>
            sameName(relay.namespace, connection.name) && sameName(relay.connection, connection.connection),
        ),
      )
      .map(({ app }) => app);
    if (attachable || apps.length === 0) return apps.map((app) => this.#app(app));
    const names = apps.map(({ name }) => name).join(', ');
    this.leftOut.push(`the apps of ${ownerName(connection)} (${names}): App Service cannot use it as it is`);
    return [];
  }

  #app({ name, slot, resourceGroup }: App): AppDeclaration {
    const isUnique =
      this.#apps.filter(({ app }) => sameName(app.name, name) && app.slot === undefined).length < 2;
    return { name, ...(slot === undefined ? {} : { slot }), ...(isUnique ? {} : { resourceGroup }) };
  }
}

/** Every declared connection gets these two without a word. */
function isDefault({ name, rights }: Rule): boolean {
  return Object.entries(DEFAULT_RULES).some(
    ([right, wanted]) => sameName(name, wanted) && rights.length === 1 && rights[0] === right,
  );
}
