/**
 * Whether a request may be heard at all: only one that was sent to this server by its own name, by its own page or by
 * no page. Other pages of the same browser can reach any port of the machine; DNS rebinding even gives them our
 * address under a name of theirs.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** What a browser says of requests of our own page, and of what was typed or opened from outside. */
const OWN_SITES = new Set(['same-origin', 'none']);
/** They change nothing. */
const SAFE_METHODS = new Set(['GET', 'HEAD']);
const HTTP_PORT = 80;

/**
 * Why it is not heard; undefined: it is. The answer does not repeat what was sent. `isInvited`: it comes with a code, to be
 * let in, and asks for nothing else.
 */
export function refusalOf(
  { method = 'GET', headers }: { method?: string | undefined; headers: IncomingHttpHeaders },
  port: number,
  { isInvited = false }: { isInvited?: boolean } = {},
): string | undefined {
  const host = headers.host?.toLowerCase();
  if (host === undefined || !ownHosts(port).includes(host)) {
    return `This is http://127.0.0.1:${port}, and answers to no other name.`;
  }
  const site = headers['sec-fetch-site'];
  const isOwn = site === undefined || OWN_SITES.has(String(site));
  // `hcm dashboard` opens a file of the user's, which for a browser is another site.
  if (!isOwn && !(isInvited && headers['sec-fetch-mode'] === 'navigate'))
    return 'Another page may not ask this.';
  const { origin } = headers;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host}`)
    return 'A page of another origin may not ask this.';
  if (origin === undefined && !SAFE_METHODS.has(method))
    return "A request that changes something needs the page's own Origin.";
  return undefined;
}

function ownHosts(port: number): readonly string[] {
  const names = ['127.0.0.1', 'localhost'];
  const hosts = names.map((name) => `${name}:${port}`);
  return port === HTTP_PORT ? [...hosts, ...names] : hosts;
}
