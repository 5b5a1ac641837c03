/** Variables that hcm.yaml uses and the environment does not have: told all at once. */
import { HcmError } from '../../../protocol/errors.ts';
import type { Place } from './declaration.ts';
import { formatPlace } from './faults.ts';

export interface MissingVariable {
  readonly name: string;
  readonly at: Place;
}

/** @throws HcmError HCM_VARIABLE_MISSING; nothing when none is missing. */
export function throwMissing(file: string, missing: readonly MissingVariable[]): void {
  if (missing.length === 0) return;
  const firstUse = new Map<string, Place>();
  for (const { name, at } of missing) if (!firstUse.has(name)) firstUse.set(name, at);
  const names = [...firstUse.keys()];
  const uses = [...firstUse].map(([name, at]) => `${formatPlace(file, at)}: ${name}`);
  const [only = ''] = names;
  const message =
    names.length === 1
      ? `${uses.join()} is not set in the environment, or is empty.`
      : `${file} uses ${names.length} variables that are not set in the environment, or are empty:\n  ${uses.join('\n  ')}`;
  throw new HcmError('HCM_VARIABLE_MISSING', message, {
    details: {
      path: file,
      names: names.join(' '),
      next: `Set ${names.length === 1 ? only : 'them'}, or write a default: \${${only}:-default}`,
    },
  });
}
