/**
 * Older versions of the state document, brought up to this one. Nothing is checked here: what was wrong stays wrong,
 * and the check that follows says so.
 */
import { DEFAULT_LOCATION, DEFAULT_RESOURCE_GROUP, seedAround, STATE_VERSION } from './state.ts';

type Document = Record<string, unknown>;

/** Returns the document itself when it is of this version, or of none that is known. */
export function migrateState(document: Document, nowMs = Date.now()): Document {
  return document.version === 1 ? fromVersion1(document, nowMs) : document;
}

/** Version 1 knew one subscription and one group by their names alone, and namespaces without a place. */
function fromVersion1(document: Document, nowMs: number): Document {
  const place = {
    subscriptionId: textOr(document.subscriptionId, ''),
    resourceGroup: textOr(document.resourceGroup, DEFAULT_RESOURCE_GROUP),
    location: DEFAULT_LOCATION,
  };
  const { namespaces } = document;
  return {
    ...document,
    version: STATE_VERSION,
    ...seedAround({ ...place, clientId: textOr(document.clientId, '') }, nowMs),
    namespaces: Array.isArray(namespaces)
      ? namespaces.map((namespace: unknown) => withPlace(namespace, { ...place, tags: {} }))
      : namespaces,
  };
}

function withPlace(namespace: unknown, place: Document): unknown {
  const isObject = typeof namespace === 'object' && namespace !== null && !Array.isArray(namespace);
  return isObject ? { ...place, ...namespace } : namespace;
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}
