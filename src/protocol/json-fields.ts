/**
 * Reading JSON that a stranger wrote: one field at a time, own properties only, so that names like `__proto__` are
 * data and nothing else. `null` counts as absent, as in the .NET client.
 */

/** A field is not what it must be. The message names field and fault, never the value. */
export class MalformedField extends Error {}

/** @throws MalformedField when the value is no object. */
export function asObject(value: unknown, name: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MalformedField(`${name} is not an object`);
  }
  return new JsonObject(value as Record<string, unknown>);
}

/** A parsed JSON object; every accessor throws MalformedField when the field has another type. */
export class JsonObject {
  private readonly fields: Record<string, unknown>;

  constructor(fields: Record<string, unknown>) {
    this.fields = fields;
  }

  keys(): string[] {
    return Object.keys(this.fields);
  }

  has(name: string): boolean {
    return this.raw(name) !== undefined;
  }

  raw(name: string): unknown {
    return Object.hasOwn(this.fields, name) ? (this.fields[name] ?? undefined) : undefined;
  }

  /** A text that must be there and not be empty. */
  text(name: string): string {
    const value = this.raw(name);
    if (typeof value !== 'string' || value === '') throw new MalformedField(`${name} is not a text`);
    return value;
  }

  /** Those of the named texts that are there. */
  optionalTexts<Name extends string>(...names: Name[]): { [K in Name]?: string } {
    const found: { [K in Name]?: string } = {};
    for (const name of names) {
      const value = this.raw(name);
      if (value === undefined) continue;
      if (typeof value !== 'string') throw new MalformedField(`${name} is not a text`);
      found[name] = value;
    }
    return found;
  }

  optionalBoolean(name: string): boolean | undefined {
    const value = this.raw(name);
    if (value !== undefined && typeof value !== 'boolean')
      throw new MalformedField(`${name} is not true or false`);
    return value;
  }

  /** An HTTP status as number or as text (the example of Microsoft's protocol guide has a text). */
  statusCode(name: string): number {
    const value = this.raw(name);
    const code = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
    if (typeof code !== 'number' || !Number.isInteger(code) || code < 100 || code > 999) {
      throw new MalformedField(`${name} is not an HTTP status`);
    }
    return code;
  }
}

/** Headers: an object of texts. Numbers and lists of texts, which JavaScript listeners send, become text. */
export function asHeaders(fields: JsonObject, name: string): Record<string, string> | undefined {
  const value = fields.raw(name);
  if (value === undefined) return undefined;
  const headers = asObject(value, name);
  return Object.fromEntries(headers.keys().map((key) => [key, headerText(headers.raw(key), name)]));
}

function headerText(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ');
  throw new MalformedField(`a value in ${name} is not a text`);
}

/** `remoteEndpoint` informs and decides nothing: an odd one is left out rather than costing a connection. */
export function asRemoteEndpoint(fields: JsonObject): { remoteEndpoint?: { address: string; port: number } } {
  const value = fields.raw('remoteEndpoint');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  const endpoint = new JsonObject(value as Record<string, unknown>);
  const address = endpoint.raw('address');
  const port = endpoint.raw('port');
  if (typeof address !== 'string' || typeof port !== 'number' || !Number.isInteger(port)) return {};
  return { remoteEndpoint: { address, port } };
}
