/**
 * From the text of hcm.yaml to plain data: YAML with anchors and merge keys, variables filled in, and the place in the
 * file of every key and value, found by its JSON pointer. Knows nothing about what the data means.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Alias,
  type Document,
  type Node,
  type Pair,
  type Scalar,
} from 'yaml';
import type { Place } from './declaration.ts';
import { throwFaults, type Fault } from './faults.ts';
import { throwMissing, type MissingVariable } from './missing-variables.ts';
import { expandVariables, type Environment } from './variables.ts';

export interface DocumentOptions {
  /** Its name in messages. */
  file: string;
  env: Environment;
  /** The only top-level key below which variables are filled in: the others' need not be set. Undefined: none is. */
  section: string | undefined;
}

/** Where something stands, and how it is written there when a variable of the environment went into it. */
export interface Origin {
  readonly place: Place;
  readonly written?: string;
}

export interface PlainDocument {
  readonly value: unknown;
  /** Of a value, by its JSON pointer; of the whole document where there is none. */
  origin(pointer: string): Origin;
  /** Of the key of that value. */
  keyOrigin(pointer: string): Origin;
}

/** No honest file comes near; a small file of nested aliases grows to billions. */
const MAX_NODES = 20_000;
const ONE_DOCUMENT = 'a second document begins here (---); the file is one document';
const TOO_DEEP = 'the file is nested too deeply';

/**
 * @throws HcmError HCM_CONFIG_INVALID for what is no YAML, or YAML that cannot be data; HCM_VARIABLE_MISSING with all
 * the variables that are missing.
 */
export function readDocument(text: string, options: DocumentOptions): PlainDocument {
  return new Reader(text, options).read();
}

/** The pointer of what stands below `parent`. */
export function childPointer(parent: string, key: string | number): string {
  return `${parent}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The keys that a pointer consists of. */
export function pointerKeys(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

class Reader {
  readonly #text: string;
  readonly #options: DocumentOptions;
  readonly #lines = new LineCounter();
  readonly #faults: Fault[] = [];
  readonly #missing: MissingVariable[] = [];
  readonly #values = new Map<string, Origin>();
  readonly #keys = new Map<string, Origin>();
  #anchored = new Map<Alias, Node>();
  /** The nodes that are being read: one that turns up below itself is a circle. */
  readonly #open = new Set<Node>();
  #nodes = 0;
  #expands = false;

  constructor(text: string, options: DocumentOptions) {
    this.#text = text;
    this.#options = options;
  }

  read(): PlainDocument {
    const value = this.#plainValue();
    this.#throwFaults();
    throwMissing(this.#options.file, this.#missing);
    const whole: Origin = { place: { line: 1, column: 1 } };
    return {
      value,
      origin: (pointer) => this.#values.get(pointer) ?? whole,
      keyOrigin: (pointer) => this.#keys.get(pointer) ?? this.#values.get(pointer) ?? whole,
    };
  }

  #plainValue(): unknown {
    try {
      const document = this.#parse();
      this.#anchored = anchorsOf(document);
      return document.contents === null ? null : this.#value(document.contents, '');
    } catch (error) {
      // The stack is full.
      if (!(error instanceof RangeError)) throw error;
      this.#fault(0, TOO_DEEP);
      return null;
    }
  }

  #parse(): Document.Parsed {
    const document = parseDocument(this.#text, { lineCounter: this.#lines, prettyErrors: false });
    // A mistake makes the parser stumble over what follows, too.
    const [error] = [...document.errors, ...document.warnings];
    if (error?.code === 'RESOURCE_EXHAUSTION') this.#fault(error.pos[0], TOO_DEEP);
    else if (error?.code === 'MULTIPLE_DOCS') this.#fault(error.pos[0], ONE_DOCUMENT);
    else if (error) this.#fault(error.pos[0], `${withoutContent(error)}${this.#hint(error.pos[0])}`);
    this.#throwFaults();
    return document;
  }

  /** Two mistakes that everybody makes once. */
  #hint(offset: number): string {
    const { line } = this.#place(offset);
    const text = this.#text.split('\n')[line - 1] ?? '';
    if (/[[{,][^"']*\$\{/.test(text)) return ': inside [] and {}, write a variable in quotes: "${NAME}"';
    if (/:\s*\[[0-9a-f:.]*\]:\d/i.test(text)) return ': write an IPv6 target in quotes: "[fd00::1]:1433"';
    return '';
  }

  #value(node: Node, pointer: string): unknown {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES) {
      this.#fault(
        node.range?.[0] ?? 0,
        `with its aliases written out the file has more than ${MAX_NODES} values`,
      );
      this.#throwFaults();
    }
    if (isAlias(node)) return this.#alias(node, pointer);
    this.#values.set(pointer, { place: this.#place(node.range?.[0]) });
    if (isScalar(node)) return this.#scalar(node, pointer);
    this.#open.add(node);
    try {
      if (isSeq<Node>(node)) {
        return node.items.map((item, index) => this.#value(item, childPointer(pointer, index)));
      }
      return isMap<Node, Node | null>(node) ? this.#map(node.items, pointer) : null;
    } finally {
      this.#open.delete(node);
    }
  }

  #alias(node: Alias, pointer: string): unknown {
    const target = this.#anchored.get(node);
    const at = node.range?.[0] ?? 0;
    if (target === undefined)
      this.#fault(at, `the alias *${node.source} has no anchor &${node.source} before it`);
    else if (this.#open.has(target))
      this.#fault(at, `the alias *${node.source} stands inside its own anchor`);
    else return this.#value(target, pointer);
    return null;
  }

  #scalar(node: Scalar, pointer: string): unknown {
    const { value } = node;
    if (typeof value !== 'string' || !this.#expands) return value;
    const { text, filledIn } = this.#expand(value, node);
    if (!filledIn) return text;
    this.#values.set(pointer, { place: this.#place(node.range?.[0]), written: value });
    // Without quotes it may have been meant as a truth value; with them it is a text.
    return node.type === 'PLAIN' && /^(?:true|false)$/.test(text) ? text === 'true' : text;
  }

  #map(items: readonly Pair<Node, Node | null>[], pointer: string): Record<string, unknown> {
    const result = new Map<string, unknown>();
    // What is written here wins over what is merged in, wherever `<<` stands.
    const [merges, own] = partition(
      items,
      ({ key }) => isScalar(key) && key.value === '<<' && key.type === 'PLAIN',
    );
    for (const { value } of merges) this.#merge(value, pointer, result);
    const seen = new Set<string>();
    for (const { key, value } of own) {
      if (pointer === '') this.#expands = false;
      const name = this.#key(key);
      if (name === undefined) continue;
      const child = childPointer(pointer, name.text);
      if (seen.has(name.text)) this.#fault(key.range?.[0] ?? 0, `the key "${name.shown}" stands here twice`);
      seen.add(name.text);
      this.#keys.set(child, {
        place: this.#place(key.range?.[0]),
        ...(name.shown === name.text ? {} : { written: name.shown }),
      });
      if (pointer === '') this.#expands = name.text === this.#options.section;
      if (value === null) this.#values.set(child, { place: this.#place(key.range?.[0]) });
      result.set(name.text, value === null ? null : this.#value(value, child));
    }
    return Object.fromEntries(result);
  }

  #merge(node: Node | null, pointer: string, into: Map<string, unknown>): void {
    const merged = node === null ? null : this.#value(node, pointer);
    const sources: unknown[] = Array.isArray(merged) ? merged.toReversed() : [merged];
    for (const source of sources) {
      if (typeof source !== 'object' || source === null || Array.isArray(source)) {
        this.#fault(node?.range?.[0] ?? 0, 'what "<<" merges in is no mapping');
      } else {
        for (const [key, value] of Object.entries(source)) into.set(key, value);
      }
    }
  }

  /** A number or a truth value as a key is a name, as it is written. */
  #key(node: Node): { text: string; shown: string } | undefined {
    const target = isAlias(node) ? this.#anchored.get(node) : node;
    if (isScalar(target) && target.value !== null) {
      const shown = typeof target.value === 'string' ? target.value : (target.source ?? '');
      return { text: this.#expands ? this.#expand(shown, target).text : shown, shown };
    }
    this.#fault(node.range?.[0] ?? 0, 'a key must be a text');
    return undefined;
  }

  #expand(text: string, node: Scalar): { text: string; filledIn: boolean } {
    const { missing, malformed, ...expanded } = expandVariables(text, this.#options.env);
    const at = node.range?.[0] ?? 0;
    for (const whole of malformed) {
      this.#fault(at, `"${whole}" is no variable: expected \${NAME} or \${NAME:-default}; $$ is a $ sign`);
    }
    for (const name of missing) this.#missing.push({ name, at: this.#place(at) });
    return expanded;
  }

  #place(offset: number | undefined): Place {
    const { line, col } = this.#lines.linePos(offset ?? 0);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #fault(offset: number, what: string): void {
    this.#faults.push({ at: this.#place(offset), what });
  }

  #throwFaults(): void {
    throwFaults(this.#options.file, this.#faults);
  }
}

/** What each alias stands for: the last anchor of its name before it. */
function anchorsOf(document: Document.Parsed): Map<Alias, Node> {
  const anchors = new Map<string, Node>();
  const found = new Map<Alias, Node>();
  visit(document, {
    Node: (_key, node) => {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target !== undefined) found.set(node, target);
      } else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return found;
}

/** The parser's words without the text that it stumbled over, which may be a secret or a whole picture. */
function withoutContent({ message }: { readonly message: string }): string {
  return message.replace(/(?<=extra characters|YAML stream).*$|\s+at line \d.*$/s, '');
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
