/** Answers of the web server that are no files of the page: their headers, short texts, and the pages without a session. */
import type { ServerResponse } from 'node:http';
import { PAGE_KEY_ITEM } from './page-key.ts';

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  // Everything from here, nothing inline, in nobody's frame. `data:` is for small pictures that the build puts in CSS.
  'Content-Security-Policy':
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

const PAGES = {
  'signed-out': 'You are not signed in here, or no longer.',
  'code-over': 'This link has been used, or is older than a minute.',
  'not-built': 'The page is not there: it is part of a build.',
} as const;

export function setSecurityHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
}

/** A page for somebody who cannot have the real one. */
export function sendPage(response: ServerResponse, status: number, which: keyof typeof PAGES): void {
  const next = which === 'not-built' ? 'npm run build' : 'hcm dashboard';
  const does = which === 'not-built' ? 'makes it' : 'opens this page with a new link';
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>hcm</title><h1>hcm</h1><p>${PAGES[which]}<p><code>${next}</code> ${does}.</html>\n`;
  sendText(response, status, html, 'text/html; charset=utf-8');
}

/**
 * Hands the page its key and leads on to it, as a step of this site's own: a strict cookie does not go along with what another
 * site began, redirects included. In the text and not in the address, because browsers write down where they have been.
 */
export function sendEntry(response: ServerResponse, pageKey: string): void {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>hcm</title><a id="on" href="/" data-key="${pageKey}">hcm</a><script src="${ENTRY_SCRIPT_PATH}"></script></html>\n`;
  sendText(response, 200, html, 'text/html; charset=utf-8');
}

export const ENTRY_SCRIPT_PATH = '/entry.js';

/** Nothing in it is secret. Its place in the history becomes the page's. */
export function sendEntryScript(response: ServerResponse): void {
  const script = `const on = document.getElementById('on');
try {
  localStorage.setItem('${PAGE_KEY_ITEM}', on.dataset.key);
} finally {
  location.replace(on.href);
}
`;
  sendText(response, 200, script, 'text/javascript; charset=utf-8');
}

/** To HEAD, Node itself leaves the body out. */
export function sendText(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
