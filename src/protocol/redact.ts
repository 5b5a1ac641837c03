/**
 * Takes secrets out of text before it is logged or shown: keys, signatures, tokens, passwords. Errs on the side of
 * hiding too much. Redacting twice changes nothing.
 */

const MASK = '***';

/** Names whose value is a secret wherever it stands: `name=value`, `name: value`, `"name":"value"`, `name%3Dvalue`. */
const SECRET_NAMES = [
  'SharedAccessKey',
  'primaryKey',
  'secondaryKey',
  'sb-hc-token',
  'sb-hc-sas-key',
  'sig',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'accessToken',
  'refreshToken',
  'client_secret',
  'clientSecret',
  'client_assertion',
  'password',
  'passwd',
  'pwd',
].join('|');

const RULES: readonly (readonly [RegExp, string])[] = [
  // Entra tokens, whole or cut: every JWT starts with the base64 of `{"`.
  [/eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)*/g, MASK],
  // Header lines, objects of headers, and raw header lists; a value reaches to its quote or to the end of the line.
  [
    /((?<![\w-])(?:proxy-|servicebus)?authorization\\?["']\s*[:,=]\s*\\?(["']))(?:(?!\\?\2)[^\r\n])*/gi,
    `$1${MASK}`,
  ],
  [/((?<![\w-])(?:proxy-|servicebus)?authorization\s*[:=][^\S\r\n]*)(?!["'\s])[^\r\n]+/gi, `$1${MASK}`],
  [/(\bBearer\s+)[\w.~+/=-]{16,}/gi, `$1${MASK}`],
  // A quoted value reaches to its closing quote, also inside a JSON text within JSON.
  [
    new RegExp(
      `((?<![\\w-])(?:${SECRET_NAMES})\\\\?["']?\\s*[:=]\\s*\\\\?(["']))(?:(?!\\\\?\\2)[^\\r\\n])*`,
      'gi',
    ),
    `$1${MASK}`,
  ],
  [new RegExp(`((?<![\\w-])(?:${SECRET_NAMES})\\s*=\\s*)(?!["'\\\\])[^\\s;&"'<>\\\\]+`, 'gi'), `$1${MASK}`],
  // Inside a value that was escaped once or twice, where the next pair begins with an escaped `&`.
  [
    new RegExp(
      `((?<![\\w-])(?:\\w*%(?:25)*(?:20|2B|26|3F|3B))?(?:${SECRET_NAMES})%(?:25)*3D)(?:(?!%(?:25)*(?:26|3B))[^\\s;&"'<>])+`,
      'gi',
    ),
    `$1${MASK}`,
  ],
  // The password of a URL; the user's name stays.
  [/([a-z][a-z0-9+.-]*:\/\/[^\s/?#:@"'<>]*:)[^\s/?#"'<>]*(?=@)/gi, `$1${MASK}`],
];

/** The text without its secrets. Names, hosts, expiry and audience stay readable. */
export function redact(text: string): string {
  return RULES.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}
