/**
 * Values of a section of hcm.yaml on their way to what they mean: parsed, or noted as a fault with place and words. What
 * came from a variable is shown as it is written in the file.
 */
import { HcmError } from '../../../protocol/errors.ts';
import { durationMs } from '../../duration-text.ts';
import type { PlainDocument } from './document.ts';
import type { Fault } from './faults.ts';
import { pathOf } from './schema.ts';

export class SectionValues {
  readonly faults: Fault[] = [];
  readonly document: PlainDocument;
  /** Relative paths in the file begin here. */
  readonly folder: string;

  constructor(document: PlainDocument, folder: string) {
    this.document = document;
    this.folder = folder;
  }

  /** Undefined after a fault; the parser's own reason is told. `forms` are what it takes. */
  parsed<T>(text: string, pointer: string, forms: string, parse: (text: string) => T): T | undefined {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof HcmError)) throw error;
      this.fault(
        pointer,
        `expected ${forms}, and "${this.shown(text, pointer)}" is none${this.#reason(error, pointer)}`,
      );
      return undefined;
    }
  }

  duration(text: string | undefined, pointer: string): number | undefined {
    if (text === undefined) return undefined;
    const ms = durationMs(text);
    if (ms === undefined)
      this.fault(
        pointer,
        `expected a number and its unit such as 10s or 5m, found "${this.shown(text, pointer)}"`,
      );
    return ms;
  }

  shown(text: string, pointer: string): string {
    return this.document.origin(pointer).written ?? text;
  }

  /** About a value. */
  fault(pointer: string, what: string): void {
    this.faults.push({ at: this.document.origin(pointer).place, what: `${pathOf(pointer)}: ${what}` });
  }

  /** About a key, or about a value being there at all. */
  keyFault(pointer: string, what: string): void {
    this.faults.push({ at: this.document.keyOrigin(pointer).place, what: `${pathOf(pointer)}: ${what}` });
  }

  /** A reason in quotes repeats the value, which may have come from a variable. */
  #reason({ message }: HcmError, pointer: string): string {
    const [, why = ''] =
      /(?: cannot be used| cannot name a hybrid connection): (.*?)\.?$/s.exec(message) ?? [];
    const repeats = this.document.origin(pointer).written !== undefined && why.includes('"');
    return why === '' || repeats ? '' : `: ${why}`;
  }
}
