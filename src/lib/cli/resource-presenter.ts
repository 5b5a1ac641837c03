/** Namespaces, connections, rules and keys as commands show them: for people, and as the JSON of docs/json.md. */
import { appName } from '../arm/apps.ts';
import type { Namespace } from '../arm/namespaces.ts';
import { isConnection, ownerName, type RuleOwner } from '../arm/references.ts';
import type { Rule, RuleKeys } from '../arm/rules.ts';
import type { Attachment } from '../services/apps.ts';
import type { ConnectionView } from '../services/connection-view.ts';
import type { AttachedApp, ConnectionReport } from '../services/connections.ts';
import { describeStep, type RotationPlan } from '../services/keys.ts';
import type { SendKeyState } from '../services/send-keys.ts';
import { appJson } from './app-presenter.ts';
import type { Output } from './output.ts';
import { formatFields, printFields, printTable } from './table.ts';

export function printNamespaces(output: Output, namespaces: readonly Namespace[]): void {
  printTable(
    output,
    [
      { title: 'NAMESPACE', value: ({ name }) => name },
      { title: 'RESOURCE GROUP', value: ({ resourceGroup }) => resourceGroup },
      { title: 'LOCATION', value: ({ location }) => location },
      { title: 'STATUS', value: ({ status }) => status },
      { title: 'HOST', value: ({ host }) => host },
    ],
    namespaces,
    'No namespace. Next: hcm namespace create NAME --resource-group GROUP',
  );
}

export function printNamespace(output: Output, namespace: Namespace): void {
  const { name, resourceGroup, subscriptionId, location, status, provisioningState, host } = namespace;
  const { tags, publicNetworkAccess, createdAt } = namespace;
  printFields(output, [
    ['namespace', name],
    ['host', host],
    ['status', status],
    ['provisioning state', provisioningState],
    ['location', location],
    ['resource group', resourceGroup],
    ['subscription', subscriptionId],
    ['public network access', publicNetworkAccess],
    ['created', createdAt],
    ['tags', Object.keys(tags).length === 0 ? undefined : Object.entries(tags).map((tag) => tag.join('='))],
  ]);
}

export function printConnections(output: Output, connections: readonly ConnectionView[]): void {
  printTable(
    output,
    [
      { title: 'CONNECTION', value: connectionName },
      { title: 'TARGET', value: targetText },
      { title: 'LISTENERS', value: ({ listenerCount }) => listenerCount, align: 'right' },
      {
        title: 'CLIENT AUTH',
        value: ({ requiresClientAuthorization }) => yesNo(requiresClientAuthorization),
      },
    ],
    connections,
    'No hybrid connection. Next: hcm connection create NAMESPACE/NAME --target HOST:PORT',
  );
}

export function connectionName({ namespace, name }: Pick<ConnectionView, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

export function reportJson({ connection, rules, apps }: ConnectionReport): object {
  return { ...connection, rules, ...(apps === undefined ? {} : { apps: apps.map(attachedAppJson) }) };
}

export function printReport(output: Output, { connection, rules, apps }: ConnectionReport): void {
  const { metadataFault, host, requiresClientAuthorization, listenerCount, createdAt } = connection;
  printFields(output, [
    ['connection', connectionName(connection)],
    ['host', host],
    ['target', targetText(connection)],
    ['metadata', metadataFault],
    ['listeners', `${listenerCount} online`],
    ['client auth', yesNo(requiresClientAuthorization)],
    ['resource group', connection.resourceGroup],
    ['subscription', connection.subscriptionId],
    ['created', createdAt],
    ['rules', rules.map(ruleText)],
    ['apps', apps === undefined ? 'unknown: this account may not read apps' : apps.map(attachedAppText)],
  ]);
}

export function attachmentJson({ app, relay }: Attachment): object {
  return { ...appJson(app), rule: relay.keyName };
}

export function ruleText({ name, rights }: Rule): string {
  return `${name} [${rights.join(', ')}]`;
}

export function ownerJson(owner: RuleOwner): object {
  return { namespace: owner.name, ...(isConnection(owner) ? { connection: owner.connection } : {}) };
}

export function printRules(output: Output, rules: readonly Rule[], owner: RuleOwner): void {
  printTable(
    output,
    [
      { title: 'RULE', value: ({ name }) => name },
      { title: 'RIGHTS', value: ({ rights }) => rights.join(', ') },
    ],
    rules,
    `No rule. Next: hcm rule create ${ownerName(owner)} NAME --rights Listen`,
  );
}

/** On purpose: `key show` is asked for nothing else. */
export function printKeys(
  output: Output,
  { owner, rule, keys }: { owner: RuleOwner; rule: Rule; keys: RuleKeys },
): void {
  const lines = formatFields([
    ['owner', ownerName(owner)],
    ['rule', ruleText(rule)],
    ['primary key', keys.primaryKey],
    ['secondary key', keys.secondaryKey],
    ['primary connection string', keys.primaryConnectionString],
    ['secondary connection string', keys.secondaryConnectionString],
  ]);
  for (const line of lines) output.answerWithSecrets(line);
}

export function rotationJson({ owner, rule, steps }: RotationPlan): object {
  return {
    ...ownerJson(owner),
    rule,
    steps: steps.map((step) =>
      step.step === 'move'
        ? { step: 'move', app: attachmentJson(step.attachment), to: step.to }
        : { step: 'regenerate', key: step.key },
    ),
  };
}

export function printRotation(output: Output, plan: RotationPlan, tense: 'would' | 'done'): void {
  for (const step of plan.steps) output.answer(capital(describeStep(step)[tense]));
}

function attachedAppJson({ attachment, sendKey, targetMatches }: AttachedApp): object {
  return { ...attachmentJson(attachment), sendKey, targetMatches };
}

const KEY_TEXTS: Readonly<Record<SendKeyState, string>> = {
  primary: 'has the primary key',
  secondary: 'has the secondary key',
  stale: 'has a key that is no longer good',
  unknown: 'has a key that may not be read',
};

function attachedAppText({ attachment: { app, relay }, sendKey, targetMatches }: AttachedApp): string {
  const target = targetMatches ? '' : `, and another target: ${relay.target.host}:${relay.target.port}`;
  return `${appName(app)} ${KEY_TEXTS[sendKey]} of ${relay.keyName}${target}`;
}

function targetText({ target, metadataFault }: ConnectionView): string | undefined {
  return target ?? (metadataFault === undefined ? undefined : 'unreadable metadata');
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
