// A model of what exists, on which the actions of a plan can be done as Azure would do them. Shared by the tests of
// plans: it knows nothing of how they are made.
import type { AppRef } from '../../../../../src/lib/arm/apps.ts';
import type { RuleOwner } from '../../../../../src/lib/arm/references.ts';
import { isConnection } from '../../../../../src/lib/arm/references.ts';
import type {
  AppDeclaration,
  AzureDeclaration,
  RuleDeclaration,
} from '../../../../../src/lib/config/hcm-yaml/declaration.ts';
import type { Action } from '../../../../../src/lib/services/apply/action.ts';
import { sameApp, sameName, type Existing } from '../../../../../src/lib/services/apply/existing.ts';
import type { Target } from '../../../../../src/protocol/target.ts';

export const SUBSCRIPTION = 'sub';
export const GROUP = 'group';
export const LOCATION = 'westeurope';

export interface ModelConnection {
  name: string;
  target: Target | undefined;
  requiresClientAuthorization: boolean;
  rules: RuleDeclaration[];
  /** Another one for each connection that was ever made, as its keys are. */
  key: number;
}

export interface ModelNamespace {
  name: string;
  location: string;
  tags: Record<string, string>;
  rules: RuleDeclaration[];
  connections: ModelConnection[];
  others: string[];
}

export interface ModelAttachment {
  app: AppRef;
  namespace: string;
  connection: string;
  target: Target;
  key: number;
}

/** Every app name is an app in the same resource group. */
export class AzureModel {
  namespaces: ModelNamespace[] = [];
  attachments: ModelAttachment[] = [];
  #keys = 0;

  newKey(): number {
    return (this.#keys += 1);
  }

  static appRef({ name, slot }: Pick<AppDeclaration, 'name' | 'slot'>): AppRef {
    const ref = { subscriptionId: SUBSCRIPTION, resourceGroup: GROUP, name };
    return slot === undefined ? ref : { ...ref, slot };
  }

  /** As read-existing.ts would see it; of strangers only when asked. */
  existing(azure: AzureDeclaration, { strangers = true } = {}): Existing {
    const declared = azure.namespaces.flatMap(({ connections }) => connections.flatMap(({ apps }) => apps));
    const apps = new Map(declared.map((app) => [app, AzureModel.appRef(app)]));
    const isDeclared = (app: AppRef) => [...apps.values()].some((one) => sameApp(one, app));
    const places = azure.namespaces.map(({ name }) => {
      const found = this.namespaces.find((one) => sameName(one.name, name));
      const ref = { subscriptionId: SUBSCRIPTION, resourceGroup: GROUP, name: found?.name ?? name };
      const existing = found && {
        ...{ ref, location: found.location, tags: { ...found.tags }, rules: [...found.rules] },
        connections: found.connections.map((one) => ({ ...one, readableMetadata: true })),
        others: found.others,
      };
      return [name.toLowerCase(), { ref, location: LOCATION, existing }] as const;
    });
    return {
      ...{ namespaces: new Map(places), apps },
      attachments: this.attachments
        .filter(({ app }) => strangers || isDeclared(app))
        .map((one) => ({ ...one, keyIsStale: this.#keyOf(one) !== one.key })),
    };
  }

  perform(action: Action): void {
    switch (action.type) {
      case 'namespace':
        return this.#namespace(action);
      case 'connection':
        return this.#connection(action);
      case 'rule':
        return this.#rule(action);
      case 'attachment':
        return this.#attachment(action);
    }
  }

  #namespace(action: Action & { type: 'namespace' }): void {
    const { name } = action.namespace;
    if (action.change === 'create') {
      const { location, tags } = action;
      if (this.namespaces.some((one) => sameName(one.name, name))) throw new Error(`${name} exists`);
      this.namespaces.push({ name, location, tags: { ...tags }, rules: [], connections: [], others: [] });
    } else if (action.change === 'update') this.#find(name).tags = { ...action.tags };
    else this.namespaces = this.namespaces.filter((one) => !sameName(one.name, name));
  }

  #connection(action: Action & { type: 'connection' }): void {
    const namespace = this.#find(action.connection.name);
    const name = action.connection.connection;
    if (action.change === 'create') {
      const { target, requiresClientAuthorization } = action;
      if (namespace.connections.some((one) => sameName(one.name, name))) throw new Error(`${name} exists`);
      namespace.connections.push({
        name,
        target,
        requiresClientAuthorization,
        rules: [],
        key: this.newKey(),
      });
    } else if (action.change === 'update') this.#findConnection(action.connection).target = action.target;
    else namespace.connections = namespace.connections.filter((one) => !sameName(one.name, name));
  }

  #rule(action: Action & { type: 'rule' }): void {
    const { owner } = action;
    const holder = isConnection(owner) ? this.#findConnection(owner) : this.#find(owner.name);
    const others = holder.rules.filter(({ name }) => !sameName(name, action.rule.name));
    holder.rules = action.change === 'delete' ? others : [...others, action.rule];
  }

  #attachment(action: Action & { type: 'attachment' }): void {
    const { app, connection } = action;
    this.attachments = this.attachments.filter(
      (one) =>
        !sameApp(one.app, app) ||
        !sameName(one.namespace, connection.name) ||
        !sameName(one.connection, connection.connection),
    );
    if (action.change === 'delete') return;
    const { key } = this.#findConnection(connection);
    this.attachments.push({
      ...{ app, target: action.target, key },
      ...{ namespace: connection.name, connection: connection.connection },
    });
  }

  #keyOf({ namespace, connection }: ModelAttachment): number | undefined {
    return this.namespaces
      .find(({ name }) => sameName(name, namespace))
      ?.connections.find(({ name }) => sameName(name, connection))?.key;
  }

  #find(name: string): ModelNamespace {
    const found = this.namespaces.find((one) => sameName(one.name, name));
    if (found === undefined) throw new Error(`there is no namespace ${name}`);
    return found;
  }

  #findConnection(owner: RuleOwner & { connection: string }): ModelConnection {
    const found = this.#find(owner.name).connections.find(({ name }) => sameName(name, owner.connection));
    if (found === undefined) throw new Error(`there is no connection ${owner.connection}`);
    return found;
  }
}
