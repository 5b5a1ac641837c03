/**
 * The headers of a response that is being made: as node:http keeps them, names as first written, values checked when they
 * are set. JSON has one value a name, so several values of a name leave joined.
 */
import { validateHeaderName, validateHeaderValue } from 'node:http';

export type HeaderValue = number | string | readonly string[];

export class ResponseHeaders {
  readonly #fields = new Map<string, { name: string; value: HeaderValue }>();

  /** Throws as node:http does: ERR_INVALID_HTTP_TOKEN, ERR_HTTP_INVALID_HEADER_VALUE, ERR_INVALID_CHAR. */
  set(name: string, value: HeaderValue): void {
    check(name, value);
    this.#fields.set(name.toLowerCase(), { name, value });
  }

  append(name: string, value: string | readonly string[]): void {
    check(name, value);
    const earlier = this.#fields.get(name.toLowerCase());
    const values = [...(earlier ? listOf(earlier.value) : []), ...listOf(value)];
    this.#fields.set(name.toLowerCase(), { name: earlier?.name ?? name, value: values });
  }

  get(name: string): HeaderValue | undefined {
    return this.#fields.get(name.toLowerCase())?.value;
  }

  has(name: string): boolean {
    return this.#fields.has(name.toLowerCase());
  }

  remove(name: string): void {
    this.#fields.delete(name.toLowerCase());
  }

  /** In lower case. */
  names(): string[] {
    return [...this.#fields.keys()];
  }

  /** As JSON carries them. fromEntries makes own properties even of `__proto__`. */
  joined(): Record<string, string> {
    const fields = [...this.#fields.values()];
    return Object.fromEntries(fields.map(({ name, value }) => [name, listOf(value).join(', ')]));
  }
}

function check(name: string, value: HeaderValue): void {
  validateHeaderName(name);
  // What is missing must not be taken for an empty list.
  const values = Array.isArray(value) ? (value as readonly string[]) : [value as string];
  for (const item of values) validateHeaderValue(name, item);
}

function listOf(value: HeaderValue): string[] {
  return typeof value === 'object' ? value.map(String) : [String(value)];
}
