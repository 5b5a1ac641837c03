/** What clients must know of a cloud before they can sign in to it. */
import type { ArmContext } from './context.ts';
import type { ArmAnswer } from './router.ts';

export function metadataAnswer(_context: ArmContext, _baseUrl: string, _apiVersion: string): ArmAnswer {
  return { status: 200, body: {} };
}
