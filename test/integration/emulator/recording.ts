/** Recordings of Azure (test/fixtures/recordings), and how an answer of the emulator differs from a recorded one. */
import { readFileSync } from 'node:fs';

export interface Interaction {
  readonly n: number;
  readonly request: { readonly method: string; readonly url: string; readonly body: unknown };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | readonly string[]>>;
    readonly body: unknown;
  };
}

export interface Difference {
  /** As `.value.0.properties.status`. */
  readonly path: string;
  readonly differs: 'value' | 'type' | 'only Azure' | 'only here';
}

/** A difference that is meant to be. */
export interface Intended {
  readonly path: RegExp;
  readonly differs: Difference['differs'];
  readonly why: string;
}

export function recordedInteractions(name: string): readonly Interaction[] {
  const file = new URL(`../../fixtures/recordings/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { interactions: Interaction[] }).interactions;
}

/** Key by key and value by value. */
export function differences(azure: unknown, ours: unknown, path = ''): Difference[] {
  if (typeOf(azure) !== typeOf(ours)) return [{ path, differs: 'type' }];
  if (typeof azure !== 'object' || azure === null) return azure === ours ? [] : [{ path, differs: 'value' }];
  const [theirs, mine] = [azure as Record<string, unknown>, ours as Record<string, unknown>];
  const keys = [...new Set([...Object.keys(theirs), ...Object.keys(mine)])];
  return keys.flatMap((key): Difference[] => {
    const at = `${path}.${key}`;
    if (!(key in mine)) return [{ path: at, differs: 'only Azure' }];
    if (!(key in theirs)) return [{ path: at, differs: 'only here' }];
    return differences(theirs[key], mine[key], at);
  });
}

/**
 * Headers that Azure sent: what is missing or differs. Those that only we send do not count: recordings lack some.
 * @param meant headers that may have another value, and those that may be missing, each with its reason
 */
export function headerDifferences(
  azure: Interaction['response']['headers'],
  ours: Readonly<Record<string, unknown>>,
  meant: {
    readonly value: Readonly<Record<string, string>>;
    readonly missing: Readonly<Record<string, string>>;
  },
): string[] {
  return Object.entries(azure).flatMap(([name, value]) => {
    if (!(name in ours)) return name in meant.missing ? [] : [`${name} is missing`];
    return name in meant.value || ours[name] === String(value) ? [] : [`${name}: ${String(ours[name])}`];
  });
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
}
