/**
 * The secrets that this run knows, so that a bundle can be searched for each of them: redaction by pattern comes first,
 * this is for what no pattern sees.
 */
type Environment = Readonly<Record<string, string | undefined>>;

const SECRET_VARIABLE = /SECRET|TOKEN|PASSWORD|PASSWD|KEY|CONNECTION_STRING|CREDENTIAL|PROXY$/i;
/** Variables whose names look like it, and whose values are names of files, hosts or methods. */
const HARMLESS = /^(?:NO_PROXY|NPM_CONFIG_.*|SSH_.*)$|_FILE$|_PATH$/i;
/** What is shorter occurs by chance, and would leave holes everywhere. */
const LEAST_CHARS = 4;
const MASK = '***';

/** Secrets inside texts (connection strings, URLs), and the texts themselves where they are nothing else. */
export function secretsIn(texts: readonly string[], env: Environment): string[] {
  const values = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && SECRET_VARIABLE.test(name) && !HARMLESS.test(name) ? [value] : [],
  );
  const found = [...texts, ...values].flatMap(partsOf).filter((secret) => secret.length >= LEAST_CHARS);
  // The longest first: a key may hold another secret.
  return [...new Set(found)].sort((a, b) => b.length - a.length);
}

/** The text without them, however they are escaped. */
export function scrub(text: string, secrets: readonly string[]): string {
  return secrets
    .flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
    .reduce((result, secret) => result.replaceAll(secret, MASK), text);
}

function partsOf(text: string): string[] {
  const trimmed = text.trim();
  const url = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)@/i.exec(trimmed)?.[1];
  // Of a URL with a user, the user and the password; without, nothing.
  if (url !== undefined) return url.split(':').flatMap((part) => [part, decoded(part)]);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed)) return [];
  const pairs = [...trimmed.matchAll(/SharedAccess(?:Key|Signature)\s*=\s*([^;"'\s]+)/gi)].map(
    ([, value = '']) => value,
  );
  return pairs.length > 0 ? pairs : [trimmed];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
