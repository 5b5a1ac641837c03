/**
 * What exists in Azure of the things that a file declares, as plain data: plans are made from it and from nothing
 * else. Whoever reads Azure (read-existing.ts) has already found every app.
 */
import { formatTarget, type Target } from '../../../protocol/target.ts';
import type { AppRef } from '../../arm/apps.ts';
import type { NamespaceRef } from '../../arm/references.ts';
import type { AppDeclaration, RuleDeclaration } from '../../config/hcm-yaml/declaration.ts';
import { plainLocation } from '../namespace-place.ts';

export interface ExistingConnection {
  readonly name: string;
  /** Undefined when the userMetadata names none that can be read. */
  readonly target: Target | undefined;
  /** The userMetadata is a list, or empty: other people's entries in it can be kept. */
  readonly readableMetadata: boolean;
  readonly requiresClientAuthorization: boolean;
  readonly rules: readonly RuleDeclaration[];
}

export interface ExistingNamespace {
  readonly ref: NamespaceRef;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly rules: readonly RuleDeclaration[];
  readonly connections: readonly ExistingConnection[];
  /** Anything else in it, such as WCF relays, as people call it. */
  readonly others: readonly string[];
}

/** A hybrid connection that an app has. */
export interface ExistingAttachment {
  readonly app: AppRef;
  readonly namespace: string;
  readonly connection: string;
  readonly target: Target;
  /** The app would sign in with a key that is not valid any more. False where that cannot be told. */
  readonly keyIsStale: boolean;
}

/** Where a declared namespace is or is going to be. */
export interface NamespacePlace {
  readonly ref: NamespaceRef;
  /** Where it is to be made; of no meaning when it exists. */
  readonly location: string;
  readonly existing: ExistingNamespace | undefined;
}

export interface Existing {
  /** Of every declared namespace, by its name in lower case. */
  readonly namespaces: ReadonlyMap<string, NamespacePlace>;
  /** The app that each declaration means. */
  readonly apps: ReadonlyMap<AppDeclaration, AppRef>;
  /** Of the declared connections, to whatever app. */
  readonly attachments: readonly ExistingAttachment[];
}

/** Names in Azure have no case. */
export function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

export function sameApp(one: AppRef, other: AppRef): boolean {
  const key = ({ subscriptionId, resourceGroup, name, slot = '' }: AppRef) =>
    [subscriptionId, resourceGroup, name, slot].join('\n').toLowerCase();
  return key(one) === key(other);
}

/** Location names come as `West Europe` and as `westeurope`. */
export function sameLocation(one: string, other: string): boolean {
  return plainLocation(one) === plainLocation(other);
}

export function sameTarget(one: Target | undefined, other: Target | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return sameName(formatTarget(one), formatTarget(other));
}
