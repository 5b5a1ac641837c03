/** Declarations as hcm.yaml says them: short where it can be short, and read back as they were. */
import { isScalar, Document, visit } from 'yaml';
import { formatTarget } from '../../../protocol/target.ts';
import type {
  AppDeclaration,
  AzureDeclaration,
  ConnectionDeclaration,
  NamespaceDeclaration,
  RuleDeclaration,
} from './declaration.ts';
import { escapeVariables } from './variables.ts';

/** The data of a file with this section: JSON of it is a file, too. */
export function azureSectionData(azure: AzureDeclaration): { azure: object } {
  const { subscription, namespaces } = azure;
  const resourceGroup = sharedBy(namespaces.map((namespace) => namespace.resourceGroup));
  const location = sharedBy(namespaces.map((namespace) => namespace.location));
  return {
    azure: compact({
      ...{ subscription: text(subscription), resourceGroup: text(resourceGroup), location: text(location) },
      namespaces: byName(namespaces, (namespace) =>
        namespaceData({
          ...namespace,
          ...(resourceGroup === undefined ? {} : { resourceGroup: undefined }),
          ...(location === undefined ? {} : { location: undefined }),
        }),
      ),
    }),
  };
}

/** The data as YAML: lists of words stand on one line. */
export function formatYaml(data: object): string {
  const document = new Document(data);
  visit(document, {
    Seq: (_key, node) => {
      node.flow = node.items.every((item) => isScalar(item));
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false, nullStr: '' });
}

type Loose<T> = { readonly [K in keyof T]: T[K] | undefined };

function namespaceData({ resourceGroup, location, tags, rules, connections }: Loose<NamespaceDeclaration>) {
  return orNull(
    compact({
      ...{ resourceGroup: text(resourceGroup), location: text(location) },
      tags: orUndefined(
        Object.fromEntries(Object.entries(tags ?? {}).map(([name, value]) => [text(name), text(value)])),
      ),
      rules: rulesData(rules ?? []),
      connections: orUndefined(byName(connections ?? [], connectionData)),
    }),
  );
}

function connectionData({ target, requiresClientAuthorization, rules, apps }: ConnectionDeclaration) {
  return orNull(
    compact({
      target: target && formatTarget(target),
      requiresClientAuthorization,
      rules: rulesData(rules),
      apps: apps.length === 0 ? undefined : apps.map(appData),
    }),
  );
}

function rulesData(rules: readonly RuleDeclaration[]) {
  return orUndefined(byName(rules, ({ rights }) => [...rights]));
}

function appData({ name, slot, resourceGroup, subscription }: AppDeclaration) {
  if (resourceGroup === undefined && subscription === undefined) {
    return text(slot === undefined ? name : `${name}/${slot}`);
  }
  return compact({
    name: text(name),
    slot: text(slot),
    resourceGroup: text(resourceGroup),
    subscription: text(subscription),
  });
}

/** What all have, when all have it. */
function sharedBy(values: readonly (string | undefined)[]): string | undefined {
  const [first, ...rest] = values;
  return rest.every((value) => value === first) ? first : undefined;
}

function byName<T extends { readonly name: string }>(items: readonly T[], toData: (item: T) => unknown) {
  return Object.fromEntries(items.map((item) => [text(item.name), toData(item)]));
}

/** A `$` of Azure's is no variable. */
function text<T extends string | undefined>(value: T): T {
  return (value === undefined ? undefined : escapeVariables(value)) as T;
}

/** Without what is not said. */
export function compact(data: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}

function orUndefined<T extends object>(data: T): T | undefined {
  return Object.keys(data).length === 0 ? undefined : data;
}

/** A name that says all stands alone. */
function orNull(data: Record<string, unknown>): Record<string, unknown> | null {
  return orUndefined(data) ?? null;
}
