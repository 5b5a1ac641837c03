/**
 * What hcm.yaml declares, checked and with its variables filled in. Values that the file leaves open are left open
 * here: whoever plans knows flags and Azure. Places lead back into the file, for messages.
 */
import type { Target } from '../../../protocol/target.ts';

export type Right = 'Listen' | 'Send' | 'Manage';

/** Counted from 1, as editors do. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface RuleDeclaration {
  readonly name: string;
  readonly rights: readonly Right[];
}

/** An App Service or Functions app, or a slot of it. */
export interface AppDeclaration {
  readonly name: string;
  readonly slot?: string;
  readonly resourceGroup?: string;
  /** Id or name. */
  readonly subscription?: string;
  readonly at?: Place;
}

export interface ConnectionDeclaration {
  readonly name: string;
  readonly target?: Target;
  /** Undefined: true for a new connection, and as it is for one that exists. */
  readonly requiresClientAuthorization?: boolean;
  /** Beside defaultListener and defaultSender, which every connection has. */
  readonly rules: readonly RuleDeclaration[];
  readonly apps: readonly AppDeclaration[];
  readonly at?: Place;
}

export interface NamespaceDeclaration {
  readonly name: string;
  readonly resourceGroup?: string;
  readonly location?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly rules: readonly RuleDeclaration[];
  readonly connections: readonly ConnectionDeclaration[];
  readonly at?: Place;
}

/** Section `azure:`. `resourceGroup` and `location` have gone into the namespaces that name none. */
export interface AzureDeclaration {
  /** Id or name. */
  readonly subscription?: string;
  readonly namespaces: readonly NamespaceDeclaration[];
}
