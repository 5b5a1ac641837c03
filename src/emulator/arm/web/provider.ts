/** Microsoft.Web. */
import type { ProviderFactory } from '../context.ts';

export const createWebProvider: ProviderFactory = () => ({
  namespace: 'Microsoft.Web',
  types: {},
  routes: [],
});
