/**
 * One mapping of a file that is imported: its values by key, each with its place. Keys count without case (azbridge
 * itself wants them as documented); quotes around a value are taken off as azbridge does; an empty value is none.
 */
import { childPointer, type PlainDocument } from '../../config/hcm-yaml/document.ts';
import type { Place } from '../../config/hcm-yaml/declaration.ts';
import type { Fault } from '../../config/hcm-yaml/faults.ts';
import type { ImportWarning } from './imported.ts';

/** What is found while the file is read. */
export interface Findings {
  readonly warnings: (ImportWarning & { readonly at: Place })[];
  readonly faults: Fault[];
}

const YES = /^(?:true|yes|on|y)$/i;
const NO = /^(?:false|no|off|n)$/i;

export class ImportNode {
  readonly #document: PlainDocument;
  readonly #findings: Findings;
  readonly #pointer: string;
  /** By key in lower case: the key as written, and its value. */
  readonly #values = new Map<string, { key: string; value: unknown }>();

  constructor(document: PlainDocument, findings: Findings, pointer = '', value: unknown = document.value) {
    this.#document = document;
    this.#findings = findings;
    this.#pointer = pointer;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.#faultAt(document.origin(pointer).place, 'expected a mapping of keys and values');
      return;
    }
    for (const [key, inner] of Object.entries(value))
      this.#values.set(key.toLowerCase(), { key, value: inner });
  }

  get place(): Place {
    return this.#document.origin(this.#pointer).place;
  }

  /** Whether the key stands there, empty or not. */
  has(key: string): boolean {
    return this.#values.has(key.toLowerCase());
  }

  /** Undefined when it is missing or empty. */
  text(key: string): string | undefined {
    const value = this.#raw(key);
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'object') return this.fault(key, 'expected a text');
    const written = typeof value === 'string' ? value : JSON.stringify(value);
    const text = written.trim().replace(/^['"]+|['"]+$/g, '');
    return text === '' ? undefined : text;
  }

  /** False when it is missing or empty. */
  flag(key: string): boolean {
    const text = this.text(key);
    if (text !== undefined && !YES.test(text) && !NO.test(text)) this.fault(key, 'expected true or false');
    return text !== undefined && YES.test(text);
  }

  /** The mappings of a list; none when it is missing or empty. */
  list(key: string): ImportNode[] {
    const value = this.#raw(key);
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) {
      this.fault(key, 'expected a list');
      return [];
    }
    const at = this.#pointerOf(key);
    return value.map(
      (item, index) => new ImportNode(this.#document, this.#findings, childPointer(at, index), item),
    );
  }

  /** Keys that are not among these, as written. */
  othersThan(known: readonly string[]): string[] {
    const lower = new Set(known.map((key) => key.toLowerCase()));
    return [...this.#values].flatMap(([key, { key: written }]) => (lower.has(key) ? [] : [written]));
  }

  warn(key: string, message: string): void {
    const written = this.#values.get(key.toLowerCase())?.key ?? key;
    const at = this.#placeOf(key);
    // One key may count for several bindings.
    const isKnown = this.#findings.warnings.some((one) => isAt(one.at, at) && one.message === message);
    if (!isKnown) this.#findings.warnings.push({ at, key: written, message });
  }

  /** About a key, or about the whole where the key is missing. */
  fault(key: string, what: string): undefined {
    const written = this.#values.get(key.toLowerCase())?.key;
    this.#faultAt(this.#placeOf(key), written === undefined ? what : `${written}: ${what}`);
  }

  #raw(key: string): unknown {
    return this.#values.get(key.toLowerCase())?.value;
  }

  #pointerOf(key: string): string {
    return childPointer(this.#pointer, this.#values.get(key.toLowerCase())?.key ?? key);
  }

  #placeOf(key: string): Place {
    return this.has(key) ? this.#document.keyOrigin(this.#pointerOf(key)).place : this.place;
  }

  #faultAt(at: Place, what: string): void {
    const isKnown = this.#findings.faults.some((one) => isAt(one.at, at) && one.what === what);
    if (!isKnown) this.#findings.faults.push({ at, what });
  }
}

function isAt(one: Place, other: Place): boolean {
  return one.line === other.line && one.column === other.column;
}
