/**
 * The name of a hybrid connection in front of HTTP paths: cut off on the way to the target, put back on the way out, and the
 * same for the addresses in `Location` and `Content-Location`. Text is kept to the letter, escapes too; nothing here is ever
 * resolved as a URL, so `//elsewhere` stays a path. Which headers are rewritten, and when, is for the callers to say.
 */
/** A request target taken apart at the name. */
export interface StrippedTarget {
  /** What was cut, as it was written: `/team/Hyco-1`. */
  readonly prefix: string;
  /** The rest in origin form: a slash in front, the query behind. */
  readonly target: string;
}

/**
 * Cuts the name from the front of a request target (`/hyco1/foo?x`). Whole segments, compared without case and with escapes
 * decoded, as the relay finds the entity.
 * @returns undefined when the target does not begin with the name.
 */
export function stripPrefix(target: string, entity: string): StrippedTarget | undefined {
  const found = new RegExp(`^${SLASH}+${[...entity].map(writtenAs).join('')}(?=${SLASH}|[?#]|$)`, 'i').exec(
    target,
  );
  if (found === null) return undefined;
  const rest = target.slice(found[0].length).replace(new RegExp(`^${SLASH}`, 'i'), '/');
  return { prefix: found[0], target: rest.startsWith('/') ? rest : `/${rest}` };
}

/** `/NAME`, escaped as on the wire. */
export function entityPrefix(entity: string): string {
  return `/${entity.split('/').map(encodeURIComponent).join('/')}`;
}

/**
 * Puts a path in front of a request target: the target's base path, or a connection's name. `.` and `..` are resolved
 * first (escaped ones too), so that no request climbs out of `base`; without them the target is kept as it is.
 * @param base `''`, `/`, or `/some/path` with or without a slash at the end.
 * @param target in origin form.
 */
export function joinPath(base: string, target: string): string {
  const mark = target.search(/[?#]/);
  const path = mark < 0 ? target : target.slice(0, mark);
  return `${base.replace(/\/+$/, '')}${withoutDots(path)}${mark < 0 ? '' : target.slice(mark)}`;
}

/** Where a target stands, seen from a sender. */
export interface Mount {
  /** What was cut from the path of the request (`/hyco1`); `''` when nothing was. */
  readonly prefix: string;
  /** The target's own base path; `''` or `/` for none. */
  readonly basePath: string;
  /** `host:port` of the target. */
  readonly targetHost: string;
  /** The host that the sender asked, with its port where one was given; undefined when it is not known. */
  readonly publicHost?: string | undefined;
}

/**
 * An address in the target's answer, as the sender must see it. What points to the target, by its host, by the sender's, or
 * by a path alone, becomes a path below the prefix; everything else stays. A path that has the prefix already stays, too: an
 * application that heeds X-Forwarded-Prefix wrote it. So does one outside the base path: it cannot be reached.
 */
export function prefixLocation(location: string, mount: Mount): string {
  const { prefix, basePath, targetHost, publicHost } = mount;
  const { host, path } = splitLocation(location);
  if (path === undefined) return location;
  const isTarget = host !== undefined && isSameHost(location, host, targetHost);
  const isPublic = host !== undefined && publicHost !== undefined && isSameHost(location, host, publicHost);
  if (host !== undefined && !isTarget && !isPublic) return location;
  if (!isTarget && prefix !== '' && cut(path, prefix) !== undefined) return location;
  const rest = cut(path, basePath.replace(/\/+$/, ''));
  return rest === undefined ? location : asPath(`${prefix}${rest}`);
}

/**
 * An address in the relay's answer, as a client of a local port must see it, where the connection's name is not part of the
 * path. What points below the name, by the relay's host or by a path alone, becomes a path; everything else stays.
 * @param relay.host the host of the relay, with its port where that is not 443.
 */
export function unprefixLocation(location: string, relay: { host: string; entity: string }): string {
  const { host, path } = splitLocation(location);
  if (path === undefined) return location;
  if (host !== undefined && !isSameHost(location, host, relay.host)) return location;
  const target = stripPrefix(path, relay.entity)?.target;
  return target === undefined ? location : asPath(target);
}

/** A path that begins with two slashes would name a host, and browsers take `\\` for a slash. */
function asPath(path: string): string {
  return path.replace(/^[/\\]{2,}/, '/');
}

const SLASH = '(?:/|%2f)';

/** A character of a name, plain or escaped. */
function writtenAs(char: string): string {
  const escaped = encodeURIComponent(char).replace(
    /^[^%]$/,
    (plain) => `%${plain.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `(?:${char.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}|${escaped})`;
}

/** Of an absolute URL, its host as written and what follows; of a path from the root, only that; of others, nothing. */
function splitLocation(location: string): { host?: string; path?: string } {
  const absolute = /^(?:https?:)?\/\/([^/?#\\@]+)([/?#].*)?$/is.exec(location);
  if (absolute !== null) {
    const [, host = '', rest = ''] = absolute;
    return { host, path: rest.startsWith('/') ? rest : `/${rest}` };
  }
  return /^\/(?![/\\])/.test(location) ? { path: location } : {};
}

/** Ports that go without saying in the scheme of `location` go without saying here. */
function isSameHost(location: string, host: string, other: string): boolean {
  const scheme = /^https:/i.test(location) ? 'https:' : 'http:';
  const canonical = (text: string) => {
    const url = `${scheme}//${text}/`;
    return URL.canParse(url) ? new URL(url).host : text.toLowerCase();
  };
  return canonical(host) === canonical(other);
}

/** The path behind a prefix of whole segments, with a slash in front; undefined when it does not begin with it. */
function cut(path: string, prefix: string): string | undefined {
  if (!path.toLowerCase().startsWith(prefix.toLowerCase())) return undefined;
  const rest = path.slice(prefix.length);
  if (rest === '' || /^[?#]/.test(rest)) return `/${rest}`;
  return rest.startsWith('/') ? rest : undefined;
}

const DOT = '(?:\\.|%2e)';
const DOTS = new RegExp(`(?:^|/)${DOT}{1,2}(?=/|$)`, 'i');
const ONE_DOT = new RegExp(`^${DOT}$`, 'i');
const TWO_DOTS = new RegExp(`^${DOT}{2}$`, 'i');

/** RFC 3986, 5.2.4, with escaped dots as WHATWG URLs have them. Always begins with a slash. */
function withoutDots(path: string): string {
  const rooted = path.startsWith('/') ? path : `/${path}`;
  if (!DOTS.test(rooted)) return rooted;
  const kept: string[] = [];
  const segments = rooted.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    const climbs = TWO_DOTS.test(segment);
    if (climbs) kept.pop();
    if (!climbs && !ONE_DOT.test(segment)) kept.push(segment);
    else if (index === segments.length - 1) kept.push('');
  }
  return `/${kept.join('/')}`;
}
