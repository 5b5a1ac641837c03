/**
 * The data of hcm.yaml against the published schema (schemas/hcm.schema.json): its verdicts in words, with the place in
 * the file. ajv is loaded when something is to be checked, since it takes a while.
 */
import type { ErrorObject, ValidateFunction } from 'ajv';
import schema from '../../../../schemas/hcm.schema.json' with { type: 'json' };
import { nearest } from '../../did-you-mean.ts';
import { childPointer, pointerKeys, type PlainDocument } from './document.ts';
import type { Fault } from './faults.ts';

/** Compiled once: it takes as long as all the rest. */
let validator: Promise<ValidateFunction> | undefined;

async function compileSchema(): Promise<ValidateFunction> {
  // A bundle of a CommonJS module has its default export only.
  const { default: ajv } = await import('ajv');
  // `verbose`: an error comes with the part of the schema that it breaks, and with the data.
  return new ajv.Ajv({ allErrors: true, verbose: true, allowUnionTypes: true }).compile(schema);
}

/** The sections, each for commands of its own. */
export type Section = 'azure' | 'manager';
const SECTIONS: readonly Section[] = ['azure', 'manager'];

/** What the schema finds in one section and in what belongs to none; nothing when the data fits. */
export async function schemaFaults(document: PlainDocument, section: Section): Promise<Fault[]> {
  const validate = await (validator ??= compileSchema());
  validate(withOnly(section, document.value));
  return (validate.errors ?? [])
    .filter((error) => !isWrittenAsVariable(error, document))
    .map((error) => toFault(error, document));
}

/** The variables of the other sections are not filled in. */
function withOnly(section: Section, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const isOther = (key: string) => key !== section && (SECTIONS as readonly string[]).includes(key);
  return Object.fromEntries(Object.entries(value).filter(([key]) => !isOther(key)));
}

/** Where the schema wants a variable, it is about what is written, and the data have what was filled in. */
const VARIABLE = '#/definitions/variable/';

function isWrittenAsVariable(
  { schemaPath, instancePath, keyword, schema: pattern }: ErrorObject,
  document: PlainDocument,
): boolean {
  const { written = '' } = document.origin(instancePath);
  return (
    schemaPath.startsWith(VARIABLE) && keyword === 'pattern' && new RegExp(String(pattern)).test(written)
  );
}

/** `azure.namespaces.my-relay`, or "" for the whole. */
export function pathOf(pointer: string): string {
  return pointerKeys(pointer).join('.');
}

interface SchemaPart {
  type?: string | string[];
  examples?: unknown[];
  properties?: Record<string, unknown>;
  patternProperties?: Record<string, unknown>;
}

function toFault(error: ErrorObject, document: PlainDocument): Fault {
  const { instancePath, keyword } = error;
  const what = `${pathOf(instancePath) || 'the file'}: `;
  const part = error.parentSchema as SchemaPart;
  if (keyword === 'additionalProperties') {
    const { additionalProperty: key } = error.params as { additionalProperty: string };
    const at = document.keyOrigin(childPointer(instancePath, key)).place;
    return { at, what: `${what}${unknownKey(key, Object.keys(part.properties ?? {}))}` };
  }
  const { place, written } = document.origin(instancePath);
  return { at: place, what: `${what}${whatIsWrong(error, part, written ?? error.data)}` };
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  return `there is no key "${key}"; ${meant === undefined ? `expected ${listed(known)}` : `did you mean "${meant}"?`}`;
}

function whatIsWrong({ keyword, params, schemaPath }: ErrorObject, part: SchemaPart, found: unknown): string {
  // What stands there is probably a secret.
  if (schemaPath.startsWith(VARIABLE)) {
    return 'a secret does not stand in this file: write a variable such as ${HCM_CONNECTION_STRING}, or "connectionStringFile"';
  }
  switch (keyword) {
    case 'type':
    case 'pattern':
      return `expected ${expected(part)}, found ${describe(found)}`;
    case 'required':
      return `the key "${(params as { missingProperty: string }).missingProperty}" is missing`;
    case 'enum':
      return `expected ${listed((params as { allowedValues: unknown[] }).allowedValues.map(String))}, found ${describe(found)}`;
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return `expected ${expected(part)}, and it is empty`;
    case 'minimum':
      return `expected a number from ${String((params as { limit: number }).limit)} on, found ${describe(found)}`;
    case 'maximum':
      return `expected a number up to ${String((params as { limit: number }).limit)}, found ${describe(found)}`;
    case 'uniqueItems':
      return 'the same thing stands here twice';
    default:
      return 'it is not as the schema wants it';
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  object: 'a mapping',
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
};

function expected({ type = [], examples = [] }: SchemaPart): string {
  const types = [type].flat().filter((name) => name !== 'null');
  // A truth value may be written as a variable; that is not what is expected.
  const named = types.includes('boolean') ? ['boolean'] : types;
  const words = listed(named.map((name) => TYPE_NAMES[name] ?? name));
  if (examples.length === 0) return words;
  return `${words} such as ${examples.map((example) => inline(example)).join(' or ')}`;
}

/** As one would write it in the file, on one line. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value !== 'object' || value === null)
    return typeof value === 'string' ? value : JSON.stringify(value);
  const entries = Object.entries(value).map(([key, inner]) => `${key}: ${inline(inner)}`);
  return `{${entries.join(', ')}}`;
}

const SHOWN_CHARS = 40;

function describe(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return `${JSON.stringify(value)} (in quotes it is a text)`;
  return `"${value.length > SHOWN_CHARS ? `${value.slice(0, SHOWN_CHARS)}...` : value}"`;
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
