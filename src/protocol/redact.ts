/**
 * Takes secrets out of text before it is logged or shown: keys, signatures, tokens, passwords. Errs on the side of
 * hiding too much. Redacting twice changes nothing.
 */

const MASK = '***';

/** Names (or ends of names) whose value is a secret wherever it stands. `sig` is a word part of too many others. */
const NAMES = [
  'SharedAccessKey',
  'primaryKey',
  'secondaryKey',
  'token',
  'secret',
  'client_assertion',
  'sas-key',
  'password',
  'passwd',
  'pwd',
  '(?<![a-z])sig',
].join('|');

const RULES: readonly (readonly [RegExp, string])[] = [
  // Entra tokens, whole or cut: every JWT starts with the base64 of `{"`.
  [/eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)*/g, MASK],
  // Headers as JSON, as Node prints objects, and in raw header lists: a quoted value reaches to its quote.
  [
    /((?<![\w-])(?:proxy-|servicebus)?authorization\\?["']?\s*[:,=]\s*\\?(["']))(?:(?!\\?\2)[^\r\n])*/gi,
    `$1${MASK}`,
  ],
  // Header lines: the value reaches to the end of the line.
  [/((?<![\w-])(?:proxy-|servicebus)?authorization\s*[:=][^\S\r\n]*)(?!["'\s\\])[^\r\n]+/gi, `$1${MASK}`],
  [/(\bBearer\s+)[\w.~+/=-]{16,}/gi, `$1${MASK}`],
  // `"name":"value"`, `name: 'value'`, and the same inside a JSON text within JSON.
  [
    new RegExp(`((?:${NAMES})\\\\?["']?\\s*[:=]\\s*\\\\?(["']))(?:(?!\\\\?\\2)[^\\r\\n])*`, 'gi'),
    `$1${MASK}`,
  ],
  // A key may hold nearly anything; only these end it in a connection string.
  [/(SharedAccessKey\s*=\s*)(?!["'])[^\s;"']+/gi, `$1${MASK}`],
  [new RegExp(`((?:${NAMES})\\s*=\\s*)(?!["'\\\\])[^\\s;&"'<>\\\\]+`, 'gi'), `$1${MASK}`],
  // The same inside a value that was escaped, once or more: `sig%3D…` up to the next escaped `&` or `;`.
  [new RegExp(`((?:${NAMES})%(?:25)*3D)(?:(?!%(?:25)*(?:26|3B))[^\\s;&"'<>])+`, 'gi'), `$1${MASK}`],
  // The password of a URL; the user's name stays.
  [/([a-z][a-z0-9+.-]{0,30}:\/\/[^\s/?#:@"'<>]*:)[^\s/?#"'<>]*(?=@)/gi, `$1${MASK}`],
];

/** The text without its secrets. Names, hosts, expiry and audience stay readable. */
export function redact(text: string): string {
  return RULES.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}
