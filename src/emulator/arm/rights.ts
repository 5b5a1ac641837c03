/** What roles let a caller do and see. Lists show the part that may be seen, to whoever may see any of it. */
import { allows, scopeCovers } from '../entra/roles.ts';
import type { Caller } from '../entra/verify.ts';
import { actionOf, type ArmPath } from './arm-path.ts';
import type { ArmAnswer } from './router.ts';

/** `/subscriptions/{id}` alone. */
const SUBSCRIPTION_ID = /^\/subscriptions\/[^/]+$/i;

export function mayAsk({ roles }: Caller, method: string, path: ArmPath): boolean {
  if (allows(roles, actionOf(method, path), path.scope)) return true;
  const container = method === 'GET' ? containerOf(path) : undefined;
  return container !== undefined && roles.some(({ scope }) => scopeCovers(container, scope));
}

/** A list without what the caller may not read; everything else as it is. */
export function visiblePart(answer: ArmAnswer, { roles }: Caller, path: ArmPath): ArmAnswer {
  const { value } = (answer.body ?? {}) as { value?: unknown };
  if (!Array.isArray(value)) return answer;
  const action = actionOf('GET', path);
  const seen = value.filter((item: unknown) => {
    const { id } = (item ?? {}) as { id?: unknown };
    if (typeof id !== 'string' || !id.toLowerCase().startsWith('/subscriptions/')) return true;
    const isAround = SUBSCRIPTION_ID.test(id) && roles.some(({ scope }) => scopeCovers(id, scope));
    return isAround || allows(roles, action, id);
  });
  return seen.length === value.length
    ? answer
    : { ...answer, body: { ...(answer.body as object), value: seen } };
}

/** What the items of a list are in; undefined when the path is no list. A subscription is one of what is in it. */
function containerOf({ segments, type, names, scope }: ArmPath): string | undefined {
  if (type !== '') {
    if (type.split('/').length <= names.length) return undefined;
    return names.length === 0 ? scope.replace(/\/providers\/[^/]*$/i, '') : scope;
  }
  const isCoreList = segments.length === 3 || /^resources$/i.test(segments.at(-1) ?? '');
  if (segments.length !== 2 && !isCoreList) return undefined;
  return `/${segments.slice(0, segments.length === 2 ? 2 : -1).join('/')}`;
}
