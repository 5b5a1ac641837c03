/** Microsoft.Relay. */
import type { ProviderFactory } from '../context.ts';

export const createRelayProvider: ProviderFactory = () => ({
  namespace: 'Microsoft.Relay',
  types: {},
  routes: [],
});
