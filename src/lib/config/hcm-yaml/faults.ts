/** Mistakes in hcm.yaml: collected, so that one run tells all of them, each with its place in the file. */
import { HcmError } from '../../../protocol/errors.ts';
import type { Place } from './declaration.ts';

export interface Fault {
  readonly at: Place;
  /** What is wrong and what was expected; begins with the path of keys where there is one. */
  readonly what: string;
}

/** More would scroll the first one, which may be the cause of all, off the screen. */
const SHOWN_FAULTS = 20;

/** `hcm.yaml:12:5`, as editors and terminals open it. */
export function formatPlace(file: string, { line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

/** @throws HcmError HCM_CONFIG_INVALID with all faults, in the order of the file; nothing when there are none. */
export function throwFaults(file: string, faults: readonly Fault[]): void {
  const sorted = faults.toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column);
  const [first] = sorted;
  if (first === undefined) return;
  const lines = sorted.slice(0, SHOWN_FAULTS).map(({ at, what }) => `${formatPlace(file, at)}: ${what}`);
  const rest = sorted.length - lines.length;
  if (rest > 0) lines.push(`and ${rest} more.`);
  const message =
    sorted.length === 1 ? lines.join() : `${file} has ${sorted.length} mistakes:\n  ${lines.join('\n  ')}`;
  throw new HcmError('HCM_CONFIG_INVALID', message, {
    details: { path: file, line: first.at.line, column: first.at.column, faults: sorted.length },
  });
}
