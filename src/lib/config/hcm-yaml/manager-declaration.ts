/**
 * What section `manager:` of hcm.yaml declares, checked and with its variables filled in: the listeners and the local
 * ports of one machine. No file is read here, and no name resolved.
 */
import type { AllowRule } from '../../../protocol/allow-list.ts';
import type { TargetAddress } from '../../../protocol/target-address.ts';
import type { Bind, StreamBind } from '../../../protocol/target.ts';
import type { Place } from './declaration.ts';

/** How the relay is told who we are: a key that Azure is asked for, Entra ID, or a connection string. */
export type Access =
  | { readonly kind: 'azure' }
  | { readonly kind: 'entra' }
  /** The path is absolute where the folder of hcm.yaml is known. */
  | { readonly kind: 'file'; readonly path: string }
  /** The text of a variable of the environment. */
  | { readonly kind: 'variable'; readonly name: string; readonly text: string };

interface TunnelDeclaration {
  /** NAMESPACE/NAME, as written. */
  readonly connection: string;
  readonly access: Access;
  readonly idleTimeoutMs?: number;
  /** Of the connection in the file. */
  readonly at: Place;
}

/** Where a listener leads. */
export type ListenerTargets =
  /** Without a target: what the hybrid connection says. */
  | { readonly dialect: 'raw'; readonly target?: TargetAddress }
  /** By logical port; at least one. */
  | { readonly dialect: 'azbridge'; readonly ports: ReadonlyMap<string, TargetAddress> };

/** How a target is asked whether it is there. */
export type HealthCheck = { readonly everyMs?: number } & (
  | { readonly kind: 'tcp' }
  /** A GET; without a path the one of the target's URL. */
  | { readonly kind: 'http'; readonly path?: string }
);

export interface ListenerDeclaration extends TunnelDeclaration {
  readonly targets: ListenerTargets;
  /** Absent: the target is never asked. */
  readonly healthCheck?: HealthCheck;
  readonly allow?: readonly AllowRule[];
  readonly maxStreams?: number;
  readonly dialTimeoutMs?: number;
  readonly proxyProtocol?: 'v2';
  readonly keepPath: boolean;
  /** `original`, or a text; undefined: the target's. */
  readonly hostHeader?: string;
}

/** What a forward binds. */
export type ForwardBinds =
  /** Without a bind: any free port of this machine alone. */
  | { readonly kind: 'raw'; readonly bind?: StreamBind }
  /** With `keepPath` the client writes the connection's name in front of the path. */
  | { readonly kind: 'http'; readonly bind?: StreamBind; readonly keepPath: boolean }
  /** By logical port; at least one. */
  | { readonly kind: 'azbridge'; readonly ports: ReadonlyMap<string, Bind> };

export interface ForwardDeclaration extends TunnelDeclaration {
  readonly binds: ForwardBinds;
}

export interface ManagerDeclaration {
  readonly listeners: readonly ListenerDeclaration[];
  readonly forwards: readonly ForwardDeclaration[];
}
