/**
 * One change to Azure: what a plan consists of and what an execution does, one after the other. Each is a single write
 * that may be done twice, so an execution that broke off is repeated by planning again.
 */
import { appName, type AppRef } from '../../arm/apps.ts';
import { ownerName, type ConnectionRef, type NamespaceRef, type RuleOwner } from '../../arm/references.ts';
import type { RuleDeclaration } from '../../config/hcm-yaml/declaration.ts';
import type { Target } from '../../../protocol/target.ts';

interface Reasoned {
  /** For people: what comes into being, or why it changes. Never a secret. */
  readonly reason: string;
}

export type NamespaceAction =
  | {
      readonly change: 'create';
      readonly type: 'namespace';
      readonly namespace: NamespaceRef;
      readonly location: string;
      readonly tags: Readonly<Record<string, string>>;
    }
  | {
      readonly change: 'update';
      readonly type: 'namespace';
      readonly namespace: NamespaceRef;
      /** All of them: those that are there and those that the file declares. */
      readonly tags: Readonly<Record<string, string>>;
    }
  | { readonly change: 'delete'; readonly type: 'namespace'; readonly namespace: NamespaceRef };

export type ConnectionAction =
  | {
      readonly change: 'create';
      readonly type: 'connection';
      readonly connection: ConnectionRef;
      readonly target: Target | undefined;
      readonly requiresClientAuthorization: boolean;
    }
  | {
      readonly change: 'update';
      readonly type: 'connection';
      readonly connection: ConnectionRef;
      readonly target: Target;
    }
  | { readonly change: 'delete'; readonly type: 'connection'; readonly connection: ConnectionRef };

export type RuleAction =
  | {
      readonly change: 'create' | 'update';
      readonly type: 'rule';
      readonly owner: RuleOwner;
      readonly rule: RuleDeclaration;
    }
  | {
      readonly change: 'delete';
      readonly type: 'rule';
      readonly owner: RuleOwner;
      readonly rule: Pick<RuleDeclaration, 'name'>;
    };

export type AttachmentAction =
  | {
      readonly change: 'create' | 'update';
      readonly type: 'attachment';
      readonly app: AppRef;
      readonly connection: ConnectionRef;
      readonly target: Target;
    }
  | {
      readonly change: 'delete';
      readonly type: 'attachment';
      readonly app: AppRef;
      readonly connection: ConnectionRef;
    };

export type Action = Reasoned & (NamespaceAction | ConnectionAction | RuleAction | AttachmentAction);

/** What an action is about, in one line for people. */
export function subjectOf(action: Action): string {
  switch (action.type) {
    case 'namespace':
      return action.namespace.name;
    case 'connection':
      return ownerName(action.connection);
    case 'rule':
      return `${action.rule.name} of ${ownerName(action.owner)}`;
    case 'attachment':
      return `${appName(action.app)} to ${ownerName(action.connection)}`;
  }
}

/** `create namespace my-relay`. */
export function describeAction(action: Action): string {
  return `${action.change} ${action.type} ${subjectOf(action)}`;
}

/** Whether something that is there comes to an end. */
export function isDestructive({ change }: Action): boolean {
  return change === 'delete';
}
