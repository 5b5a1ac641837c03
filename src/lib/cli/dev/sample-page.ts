/** What the sample target answers: the way that the request took, as text for curl and as a page for browsers. */
import type { StreamLog } from './stream-log.ts';

/** The stations of the path, with their real addresses. */
export interface Route {
  readonly bind: string;
  readonly relay: string;
  readonly connection: string;
  readonly target: string;
}

export interface SampleRequest {
  readonly method: string;
  readonly url: string;
  /** Address and port of the listener's connection to the target. */
  readonly from: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly bodyBytes: number;
}

const stationsOf = (route: Route, request: SampleRequest): [string, string][] => [
  ['app', 'you: whatever connected to the local port'],
  ['forward', `local port ${route.bind}, sender of "${route.connection}"`],
  ['relay', `${route.relay} (the emulator), TLS from both sides, no inbound port at either`],
  ['listener', `registered for "${route.connection}", dialed the target from ${request.from}`],
  ['target', `${route.target} (this server)`],
];

export function renderText(route: Route, request: SampleRequest, log: StreamLog): string {
  return [
    'Your request went app -> forward -> relay -> listener -> target.',
    '',
    ...stationsOf(route, request).map(([name, what]) => `  ${name.padEnd(9)} ${what}`),
    '',
    `${request.method} ${request.url}, ${request.bodyBytes} bytes of body, with these headers:`,
    ...request.headers.map(([name, value]) => `  ${name}: ${value}`),
    '',
    totals(log),
    '',
  ].join('\n');
}

export function renderPage(route: Route, request: SampleRequest, log: StreamLog): string {
  const rows = (cells: readonly (readonly string[])[]) =>
    cells.map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`).join('\n');
  const streams = log.streams.map(({ stream, setupMs, bytesIn, bytesOut }) => [
    stream.slice(0, 8),
    `${setupMs} ms`,
    bytesIn === undefined ? 'open' : `${bytesIn} to the app`,
    bytesOut === undefined ? '' : `${bytesOut} to the target`,
  ]);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>hcm dev</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 3rem auto; padding: 0 1rem; color: #222; background: #fff }
td { padding: .2rem 1rem .2rem 0; vertical-align: top } td:first-child { font-weight: 600; white-space: nowrap }
h1 { font-size: 1.4rem } h2 { font-size: 1rem; margin-top: 2rem } code, .mono td { font-family: ui-monospace, monospace; font-size: .9rem }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } }
</style></head>
<body>
<h1>It works: app &rarr; forward &rarr; relay &rarr; listener &rarr; target</h1>
<p>This page came through Azure Relay's protocol, spoken on one machine. Reload it for one more stream.</p>
<table>${rows(stationsOf(route, request))}</table>
<h2>Streams</h2>
<p>${escapeHtml(totals(log))}</p>
<table class="mono">${rows(streams)}</table>
<h2>Your request</h2>
<p><code>${escapeHtml(`${request.method} ${request.url}`)}</code></p>
<table class="mono">${rows(request.headers)}</table>
</body></html>
`;
}

function totals({ count, bytesIn, bytesOut }: StreamLog): string {
  return `${count} stream${count === 1 ? '' : 's'} so far; those that ended carried ${bytesOut} bytes to the target and ${bytesIn} back.`;
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
