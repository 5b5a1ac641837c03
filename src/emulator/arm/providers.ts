/** The providers of the local Resource Manager, each with a router over its routes, and ARM's own routes. */
import { createAuthorizationProvider } from './authorization/provider.ts';
import type { ArmContext } from './context.ts';
import { createRelayProvider } from './relay/provider.ts';
import { createCoreRoutes } from './resources/core.ts';
import { settleRegistrations } from './resources/provider-registration.ts';
import { settleGroups } from './resources/resource-groups.ts';
import { Router, type ArmProvider } from './router.ts';
import { settleNamespaces } from './relay/provisioning.ts';
import { createWebProvider } from './web/provider.ts';

export interface RoutedProvider {
  readonly provider: ArmProvider;
  readonly router: Router;
}

export interface Providers {
  readonly all: readonly RoutedProvider[];
  /** Subscriptions, tenants, resource groups, providers. */
  readonly core: Router;
  /** Brings what takes time to where it is by now. */
  settle(): void;
}

export function createProviders(context: ArmContext): Providers {
  const providers = [
    createRelayProvider(context),
    createWebProvider(context),
    createAuthorizationProvider(context),
  ];
  return {
    all: providers.map((provider) => ({ provider, router: new Router(provider.routes) })),
    core: new Router(createCoreRoutes(context, providers)),
    settle() {
      settleRegistrations(context);
      settleGroups(context);
      settleNamespaces(context);
    },
  };
}

export function findProvider({ all }: Providers, namespace: string): RoutedProvider | undefined {
  return all.find(({ provider }) => provider.namespace.toLowerCase() === namespace.toLowerCase());
}
