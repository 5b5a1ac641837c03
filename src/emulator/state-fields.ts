/** Checks of single fields of the state document, each of which names what is wrong and never shows the value. */
import { HcmError } from '../protocol/errors.ts';

export function asRecord(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw corrupt(where);
  return value as Record<string, unknown>;
}

export function checkList(value: unknown, where: string): unknown[] {
  if (!Array.isArray(value)) throw corrupt(where);
  return value;
}

/** Each must be a text and not empty. */
export function checkTexts(record: Record<string, unknown>, where: string, ...names: string[]): void {
  for (const name of names) {
    const value = record[name];
    if (typeof value !== 'string' || value === '') throw corrupt(`${where}${name}`);
  }
}

export function corrupt(where: string): HcmError {
  return new HcmError(
    'HCM_STATE_CORRUPT',
    `The emulator's state cannot be used: ${where} is not as it must be.`,
    { details: { reason: 'schema', where } },
  );
}
