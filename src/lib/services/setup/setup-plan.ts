/**
 * From the answers to what will be done: steps for people, the commands that do the same, and what to look out for.
 * Pure: what exists is handed in.
 */
import { isIP } from 'node:net';
import { formatTarget } from '../../../protocol/target.ts';
import { appName, type App } from '../../arm/apps.ts';
import type { ConnectionRef } from '../../arm/references.ts';
import { isSameRelay, type SiteRelay } from '../../arm/site-relays.ts';
import { attachWarnings } from '../attach.ts';
import { sameTarget } from '../connection-view.ts';
import { appId, connectionOf, namespaceName, type SetupAnswers } from './answers.ts';
import { commandLine } from './command-line.ts';

/** What was found of what the answers name. */
export interface SetupExisting {
  /** Where the commands look for what has a name alone. */
  readonly subscriptionId: string;
  /** The subscription may make namespaces. */
  readonly registered: boolean;
  /** The hybrid connection is there, with this target. */
  readonly connection: boolean;
  /** What the app has attached. */
  readonly attached: readonly SiteRelay[];
}

export interface SetupStep {
  readonly kind: 'provider' | 'namespace' | 'connection' | 'app' | 'listener';
  readonly text: string;
  /** There is nothing to do: it is there. */
  readonly kept: boolean;
}

export interface SetupPlan {
  readonly answers: SetupAnswers;
  /** `NAMESPACE/NAME`. */
  readonly connection: string;
  readonly steps: readonly SetupStep[];
  /** One after the other they do the same. */
  readonly commands: readonly string[];
  /** The wizard once more, with every answer given. */
  readonly again: string;
  /** What starts the listener: here or on another machine. */
  readonly listenCommand: string;
  /** The flags with which every command means the same Azure. */
  readonly context: readonly string[];
  readonly warnings: readonly string[];
}

/** `context`: the flags that every command needs to mean the same Azure, such as `--cloud local`. */
export function planSetup(
  answers: SetupAnswers,
  existing: SetupExisting,
  context: readonly string[] = [],
): SetupPlan {
  const connection = connectionOf(answers);
  const listenCommand = commandLine(['hcm', 'listen', connection, context]);
  return {
    answers,
    connection,
    steps: stepsOf(answers, existing),
    commands: [...azureCommands(answers, existing, context), ...(answers.listen ? [listenCommand] : [])],
    again: againCommand(answers, existing, context),
    ...{ listenCommand, context },
    warnings: warningsOf(answers, existing),
  };
}

function stepsOf(answers: SetupAnswers, existing: SetupExisting): SetupStep[] {
  const { app, namespace, listen } = answers;
  const target = formatTarget(answers.target);
  const connection = connectionOf(answers);
  const steps: SetupStep[] = [];
  if (!existing.registered) {
    const text = 'register Microsoft.Relay in the subscription, which is done once';
    steps.push({ kind: 'provider', text, kept: false });
  }
  if (namespace.kind === 'existing') {
    const { name, location, resourceGroup } = namespace.namespace;
    steps.push({
      kind: 'namespace',
      text: `${name}, which exists in ${location}, resource group ${resourceGroup}`,
      kept: true,
    });
  } else {
    const { name, location, resourceGroup, newResourceGroup } = namespace;
    const group = `${newResourceGroup ? 'the new ' : ''}resource group ${resourceGroup}`;
    steps.push({ kind: 'namespace', text: `create ${name} in ${location}, ${group}`, kept: false });
  }
  steps.push(
    existing.connection
      ? { kind: 'connection', text: `${connection} to ${target}, which exists`, kept: true }
      : {
          kind: 'connection',
          text: `create ${connection} to ${target}, with a key for each side`,
          kept: false,
        },
  );
  if (app !== undefined) {
    const attached = isAttached(answers, existing);
    const name = appName(app);
    steps.push(
      attached
        ? { kind: 'app', text: `${name}, which has it; its key is checked`, kept: true }
        : { kind: 'app', text: `attach it to ${name}`, kept: false },
    );
  }
  steps.push({
    kind: 'listener',
    text: listen ? `listen here, until Ctrl-C` : 'on another machine: the command for it comes at the end',
    kept: false,
  });
  return steps;
}

function isAttached(answers: SetupAnswers, { attached }: SetupExisting): boolean {
  const name = { namespace: namespaceName(answers.namespace), connection: answers.connection };
  return attached.some((relay) => isSameRelay(relay, name));
}

function azureCommands(answers: SetupAnswers, existing: SetupExisting, context: readonly string[]): string[] {
  const { app, namespace } = answers;
  const connection = connectionOf(answers);
  const commands: string[] = [];
  if (namespace.kind === 'new') {
    const place = ['--resource-group', namespace.resourceGroup, '--location', namespace.location];
    const group = namespace.newResourceGroup ? ['--create-resource-group'] : [];
    commands.push(commandLine(['hcm', 'namespace', 'create', namespace.name, place, group, context]));
  }
  if (!existing.connection) {
    const target = ['--target', formatTarget(answers.target)];
    commands.push(commandLine(['hcm', 'connection', 'create', connection, target, context]));
  }
  if (app !== undefined) {
    const slot = app.slot === undefined ? [] : ['--slot', app.slot];
    commands.push(commandLine(['hcm', 'app', 'attach', appWord(app, existing), connection, slot, context]));
  }
  return commands;
}

/** An app of another subscription is found by its id alone. */
function appWord(app: App, { subscriptionId }: SetupExisting): string {
  return app.subscriptionId.toLowerCase() === subscriptionId.toLowerCase() ? app.name : appId(app);
}

function againCommand(answers: SetupAnswers, existing: SetupExisting, context: readonly string[]): string {
  const { app, namespace } = answers;
  return commandLine([
    ['hcm', 'setup'],
    app === undefined ? ['--no-app'] : ['--app', appWord(app, existing)],
    app?.slot === undefined ? [] : ['--slot', app.slot],
    ['--target', formatTarget(answers.target)],
    ['--namespace', namespaceName(namespace)],
    namespace.kind === 'new'
      ? ['--resource-group', namespace.resourceGroup, '--location', namespace.location]
      : [],
    ['--connection', answers.connection],
    [answers.listen ? '--listen' : '--no-listen', '--yes'],
    context,
  ]);
}

function warningsOf(answers: SetupAnswers, { attached }: SetupExisting): string[] {
  const { app, target } = answers;
  if (app === undefined) return [];
  const text = formatTarget(target);
  const ref: ConnectionRef = {
    ...{ subscriptionId: '', resourceGroup: '', name: namespaceName(answers.namespace) },
    connection: answers.connection,
  };
  const other = attached.find(
    (relay) =>
      sameTarget(formatTarget(relay.target), text) &&
      !isSameRelay(relay, { namespace: ref.name, connection: ref.connection }),
  );
  return [
    ...attachWarnings(app, { ...ref, requiresClientAuthorization: true }, target),
    ...(isIP(target.host) === 0
      ? []
      : [
          `App Service finds a hybrid connection by the host name that the app asks for, and an address often matches nothing: a host name is safer than ${target.host}.`,
        ]),
    ...(other === undefined
      ? []
      : [
          `${appName(app)} has a hybrid connection to ${text} already: ${other.namespace}/${other.connection}.`,
        ]),
  ];
}
