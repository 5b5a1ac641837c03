/**
 * What must change so that Azure has what a file declares: pure, from the declarations and what exists. What the file
 * does not name is left alone. Applied to what exists, a plan leaves nothing to do; so does any rest of one.
 */
import { HcmError } from '../../../protocol/errors.ts';
import { formatTarget, type Target } from '../../../protocol/target.ts';
import type { AppRef } from '../../arm/apps.ts';
import type { ConnectionRef } from '../../arm/references.ts';
import type {
  AppDeclaration,
  AzureDeclaration,
  ConnectionDeclaration,
  NamespaceDeclaration,
} from '../../config/hcm-yaml/declaration.ts';
import type { Action } from './action.ts';
import {
  sameApp,
  sameLocation,
  sameName,
  sameTarget,
  type Existing,
  type ExistingAttachment,
  type ExistingConnection,
  type NamespacePlace,
} from './existing.ts';
import { planConnectionRules, planRules } from './rule-plan.ts';

/**
 * The changes in the order in which they can be made; none when all is as declared.
 * @throws HcmError HCM_RESOURCE_CONFLICT when a namespace exists elsewhere than the file says: it cannot be moved.
 */
export function planApply(azure: AzureDeclaration, existing: Existing): Action[] {
  return azure.namespaces.flatMap((namespace) => {
    const place = existing.namespaces.get(namespace.name.toLowerCase());
    if (place === undefined) throw new Error(`nobody looked for the namespace ${namespace.name}`);
    return new NamespacePlanner(namespace, place, existing).plan();
  });
}

/** What an app is to be attached to. */
interface AttachTo {
  readonly connection: ConnectionRef;
  readonly declared: ConnectionDeclaration;
  /** Made in this plan. */
  readonly isNew: boolean;
}

class NamespacePlanner {
  readonly #declared: NamespaceDeclaration;
  readonly #place: NamespacePlace;
  readonly #existing: Existing;

  constructor(declared: NamespaceDeclaration, place: NamespacePlace, existing: Existing) {
    this.#declared = declared;
    this.#place = place;
    this.#existing = existing;
  }

  plan(): Action[] {
    const { rules, connections } = this.#declared;
    const { ref, existing } = this.#place;
    return [
      ...this.#namespace(),
      ...planRules(ref, rules, existing?.rules ?? []),
      ...connections.flatMap((connection) => this.#connection(connection)),
    ];
  }

  #namespace(): Action[] {
    const { tags } = this.#declared;
    const { ref, location, existing } = this.#place;
    const action = { type: 'namespace', namespace: ref } as const;
    if (existing === undefined) {
      const reason = `in ${location}, resource group ${ref.resourceGroup}`;
      return [{ ...action, change: 'create', location, tags, reason }];
    }
    this.#checkPlace();
    const changed = Object.keys(tags).filter((name) => tagIn(existing.tags, name) !== tags[name]);
    if (changed.length === 0) return [];
    // Values of tags are not shown: they may come from variables that hold secrets.
    const reason = `${changed.length === 1 ? 'tag' : 'tags'} ${changed.join(', ')}`;
    return [{ ...action, change: 'update', tags: mergeTags(existing.tags, tags), reason }];
  }

  #checkPlace(): void {
    const { name, resourceGroup, location } = this.#declared;
    const { ref, existing } = this.#place;
    const conflict = (what: string, is: string, wanted: string) =>
      new HcmError(
        'HCM_RESOURCE_CONFLICT',
        `The namespace "${name}" is in the ${what} ${is}, and the file says ${wanted}: a namespace cannot be moved.`,
        { details: { next: `Write "${is}" in the file, or take another name for the namespace` } },
      );
    if (resourceGroup !== undefined && !sameName(resourceGroup, ref.resourceGroup)) {
      throw conflict('resource group', ref.resourceGroup, resourceGroup);
    }
    if (location !== undefined && existing && !sameLocation(location, existing.location)) {
      throw conflict('location', existing.location, location);
    }
  }

  #connection(declared: ConnectionDeclaration): Action[] {
    const { name, rules, apps } = declared;
    const found = this.#place.existing?.connections.find((one) => sameName(one.name, name));
    const connection: ConnectionRef = { ...this.#place.ref, connection: found?.name ?? name };
    const changes = connectionPlan(connection, declared, found);
    const isNew = changes.some(({ change }) => change === 'create');
    const ruleChanges = planConnectionRules(connection, rules, isNew ? [] : (found?.rules ?? []));
    const to = { connection, declared, isNew };
    const attachments = [
      ...this.#distinct(apps).flatMap((app) => this.#attachment(app, to)),
      ...(concernsStrangers(changes) ? this.#strangers(to) : []),
    ];
    // A new target goes to the apps first: while the connection has the old one, a run that broke off is noticed.
    return changes.some(({ change }) => change === 'update')
      ? [...ruleChanges, ...attachments, ...changes]
      : [...changes, ...ruleChanges, ...attachments];
  }

  /** One app may be declared by its name, and with its resource group as well. */
  #distinct(apps: readonly AppDeclaration[]): AppDeclaration[] {
    const refs = apps.map((app) => this.#appOf(app));
    return apps.filter((_, index) => refs.findIndex((ref) => sameApp(ref, refs[index] ?? ref)) === index);
  }

  #appOf(app: AppDeclaration): AppRef {
    const ref = this.#existing.apps.get(app);
    if (ref === undefined) throw new Error(`nobody looked for the app ${app.name}`);
    return ref;
  }

  #attachment(app: AppDeclaration, { connection, declared, isNew }: AttachTo): Action[] {
    const ref = this.#appOf(app);
    const { target } = declared;
    // The file is checked: where there are apps, there is a target.
    if (target === undefined) return [];
    const action = { type: 'attachment', app: ref, connection, target } as const;
    const attached = this.#attachmentsOf(connection).find((one) => sameApp(one.app, ref));
    if (attached === undefined) return [{ ...action, change: 'create', reason: placeOf(ref, connection) }];
    const reason = whyReattach(attached, target, isNew);
    return reason === undefined ? [] : [{ ...action, change: 'update', reason }];
  }

  /** Apps that somebody else attached: with the old target or the old key they would lose the connection. */
  #strangers({ connection, declared, isNew }: AttachTo): Action[] {
    const own = declared.apps.map((app) => this.#appOf(app));
    return this.#attachmentsOf(connection)
      .filter(({ app }) => !own.some((other) => sameApp(other, app)))
      .flatMap(({ app, target: attached }): Action[] => {
        const target = declared.target ?? attached;
        const reason = whyReattach({ target: attached, keyIsStale: false }, target, isNew);
        if (reason === undefined) return [];
        return [
          {
            ...{ change: 'update', type: 'attachment', app, connection, target },
            reason: `${reason}; the file does not name this app`,
          },
        ];
      });
  }

  #attachmentsOf({ name, connection }: ConnectionRef) {
    return this.#existing.attachments.filter(
      (one) => sameName(one.namespace, name) && sameName(one.connection, connection),
    );
  }
}

/** Whether what else is attached to declared connections matters for a plan. */
export function concernsStrangers(actions: readonly Action[]): boolean {
  return actions.some(({ type, change }) => type === 'connection' && change !== 'create');
}

function whyReattach(
  attached: Pick<ExistingAttachment, 'target' | 'keyIsStale'>,
  target: Target,
  isNew: boolean,
): string | undefined {
  if (!sameTarget(target, attached.target)) return retargeting(attached.target, target);
  if (isNew) return 'the connection is new, and so is its key';
  return attached.keyIsStale ? 'the app has a key that is not valid any more' : undefined;
}

/** Made, changed, or, where Azure does not let it be changed, made anew. */
function connectionPlan(
  connection: ConnectionRef,
  declared: ConnectionDeclaration,
  found: ExistingConnection | undefined,
): Action[] {
  const { target, apps } = declared;
  // App Service takes no connection that lets senders in without a token.
  const wanted = declared.requiresClientAuthorization ?? (apps.length > 0 ? true : undefined);
  const action = { type: 'connection', connection } as const;
  const create = (requiresClientAuthorization: boolean, reason: string): Action => ({
    ...action,
    ...{ change: 'create', target, requiresClientAuthorization, reason },
  });
  const to = target === undefined ? 'without a target' : `to ${formatTarget(target)}`;
  if (found === undefined)
    return [create(wanted ?? true, wanted === false ? `${to}, senders need no token` : to)];
  if (wanted !== undefined && wanted !== found.requiresClientAuthorization) {
    const why = `requiresClientAuthorization becomes ${wanted}, which only a new connection can have`;
    return [
      { ...action, change: 'delete', reason: `${why}: its keys, and what the file does not say of it, end` },
      create(wanted, to),
    ];
  }
  if (target === undefined || sameTarget(found.target, target)) return [];
  const reason = found.readableMetadata
    ? retargeting(found.target, target)
    : `target ${formatTarget(target)}, in place of metadata that App Service cannot read`;
  return [{ ...action, change: 'update', target, reason }];
}

function retargeting(from: Target | undefined, to: Target): string {
  return `target ${from === undefined ? 'none' : formatTarget(from)} -> ${formatTarget(to)}`;
}

/** Names of tags have no case, their values do. */
function tagIn(tags: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.entries(tags).find(([other]) => sameName(other, name))?.[1];
}

function mergeTags(existing: Readonly<Record<string, string>>, declared: Readonly<Record<string, string>>) {
  const kept = Object.entries(existing).filter(([name]) => tagIn(declared, name) === undefined);
  return { ...Object.fromEntries(kept), ...declared };
}

/** Only what is not as usual. */
function placeOf(app: AppRef, { resourceGroup, subscriptionId }: ConnectionRef): string {
  const places = [
    ...(sameName(app.resourceGroup, resourceGroup) ? [] : [`resource group ${app.resourceGroup}`]),
    ...(sameName(app.subscriptionId, subscriptionId) ? [] : [`subscription ${app.subscriptionId}`]),
  ];
  return places.length === 0 ? '' : `the app is in ${places.join(', ')}`;
}
