/**
 * The target inside an entity's userMetadata, as App Service and Microsoft's Hybrid Connection Manager write and read
 * it: a JSON list `[{"key":"endpoint","value":"host:port"}]`. Other people's entries in the list are kept.
 */
import { HcmError } from './errors.ts';
import { USER_METADATA_MAX_CHARS } from './limits.ts';
import { formatTarget, parseTarget, type Target } from './target.ts';

const ENDPOINT_KEY = 'endpoint';

/**
 * The target that an entity names; undefined when it names none.
 * @throws HcmError HCM_TARGET_MISSING when the text is no such list (`details.reason` not-json or not-a-list), and
 * HCM_TARGET_INVALID when its endpoint is not HOST:PORT.
 */
export function targetFromUserMetadata(text: string | undefined): Target | undefined {
  const entry = entriesOf(text).find(isEndpoint);
  if (entry === undefined) return undefined;
  const value: unknown = Object.hasOwn(entry, 'value') ? entry['value'] : undefined;
  if (typeof value !== 'string') {
    throw new HcmError('HCM_TARGET_INVALID', 'The endpoint in the userMetadata has no text as its value.', {
      details: { reason: 'value' },
    });
  }
  return parseTarget(value);
}

/**
 * The userMetadata with another target: the endpoint entry is replaced in its place or added, all else is kept.
 * @throws HcmError as `targetFromUserMetadata`, since a text that is no list would be lost; HCM_TARGET_INVALID when the
 * result is longer than the service takes (1024 characters).
 */
export function withTarget(text: string | undefined, target: Target): string {
  const entry = { key: ENDPOINT_KEY, value: formatTarget(target) };
  const entries = entriesOf(text);
  const place = entries.findIndex(isEndpoint);
  const kept = entries.filter((other, index) => index === place || !isEndpoint(other));
  const result = JSON.stringify(
    place < 0
      ? [...kept, entry]
      : kept.map((other) => (isEndpoint(other) ? { ...other, ...renamed(other, entry) } : other)),
  );
  if (result.length > USER_METADATA_MAX_CHARS) {
    throw new HcmError(
      'HCM_TARGET_INVALID',
      `The userMetadata would have ${result.length} characters, and ${USER_METADATA_MAX_CHARS} are allowed.`,
      { details: { reason: 'too-long' } },
    );
  }
  return result;
}

type Entry = Readonly<Record<string, unknown>>;

/** Keeps the spelling of an existing key (`Endpoint`). */
function renamed(existing: Entry, entry: { key: string; value: string }): Entry {
  return { key: existing['key'] ?? entry.key, value: entry.value };
}

function isEndpoint(entry: unknown): entry is Entry {
  if (typeof entry !== 'object' || entry === null || !Object.hasOwn(entry, 'key')) return false;
  const { key } = entry as { key: unknown };
  return typeof key === 'string' && key.trim().toLowerCase() === ENDPOINT_KEY;
}

function entriesOf(text: string | undefined): unknown[] {
  if (text === undefined || text.trim() === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw notAList('not-json', 'is not JSON');
  }
  if (!Array.isArray(value)) throw notAList('not-a-list', 'is not a list of keys and values');
  return value as unknown[];
}

function notAList(reason: string, what: string): HcmError {
  return new HcmError(
    'HCM_TARGET_MISSING',
    `The userMetadata of the hybrid connection ${what}, so it names no target.`,
    {
      details: { reason },
    },
  );
}
