// Ten thousand requests as browsers and programs send them to real sites: made from a seed, in scenarios whose steps follow
// each other (an upload is read and deleted; a cookie comes back). What is asked, not how or through what.
import type { HttpRequest } from './exchange.ts';
import { patternOf } from './pattern.ts';

export type Site = 'nginx' | 'express' | 'php';

/** Sizes of the static files that both nginx and express serve, by name. */
export const FILES: Readonly<Record<string, number>> = {
  'empty.bin': 0,
  'one.bin': 1,
  'small.txt': 900,
  'page.html': 20_000,
  'text.txt': 70_000,
  'edge.bin': 65_536,
  'over.bin': 65_537,
  'data.bin': 300_000,
};

export interface Scenario {
  readonly site: Site;
  readonly steps: readonly HttpRequest[];
  /** Answer headers that tell when an upload was made. */
  readonly ofTheMoment?: readonly string[];
}

/** So many requests, the same for the same seed. */
export function scenarios(requests: number, seed: number): Scenario[] {
  const random = seededRandom(seed);
  const kinds = KINDS.flatMap(([weight, make]) => Array.from({ length: weight }, () => make));
  const made: Scenario[] = [];
  for (let count = 0; count < requests;) {
    const scenario = pick(random, kinds)(new Dice(random), made.length);
    made.push(scenario);
    count += scenario.steps.length;
  }
  return made;
}

/** What a scenario is made with. */
class Dice {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  upTo(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  oneOf<T>(items: readonly T[]): T {
    return pick(this.#random, items);
  }

  file(): string {
    return this.oneOf(Object.keys(FILES));
  }

  /** Mostly small, sometimes around what the control channel carries, seldom more. */
  bytes(): number {
    const turn = this.upTo(20);
    if (turn < 14) return this.upTo(3000);
    if (turn < 19) return 65_530 + this.upTo(12);
    return this.upTo(400_000);
  }

  word(): string {
    return this.upTo(1e9).toString(36);
  }
}

type Make = (dice: Dice, number: number) => Scenario;

function get(site: Site, path: string, headers: HttpRequest['headers'] = {}): Scenario {
  return { site, steps: [{ method: 'GET', path, headers }] };
}

function send(site: Site, path: string, type: string, body: Buffer | string, method = 'POST'): Scenario {
  return {
    site,
    steps: [{ method, path, headers: { 'Content-Type': type }, body: Buffer.from(body) }],
  };
}

const KINDS: readonly (readonly [weight: number, make: Make])[] = [
  // nginx: files
  [10, (dice) => get('nginx', `/${dice.file()}`)],
  [6, (dice) => get('nginx', `/${dice.file()}`, { 'Accept-Encoding': 'gzip, deflate, br' })],
  [6, (dice) => get('nginx', `/${dice.file()}`, { Range: range(dice) })],
  [3, (dice) => ({ site: 'nginx', steps: [{ method: 'HEAD', path: `/${dice.file()}` }] })],
  [4, (dice) => get('nginx', `/${dice.file()}`, { 'If-Modified-Since': MOMENT })],
  [2, (dice) => get('nginx', `/${dice.file()}`, { 'If-Match': `"${dice.word()}"` })],
  [2, (dice) => get('nginx', `/no/${dice.word()}`)],
  [1, () => get('nginx', '/folder')], // to /folder/, by an absolute address
  [1, () => ({ site: 'nginx', steps: [{ method: 'POST', path: '/small.txt', body: Buffer.from('x') }] })],
  [4, uploadToNginx],
  // express: an application
  [6, (dice) => get('express', `/hello?name=${dice.word()}`)],
  [6, (dice) => get('express', `/item/${dice.word()}?q=${dice.word()}&q=2`)],
  [4, (dice) => get('express', `/item/${dice.word().repeat(20)}`, { 'Accept-Encoding': 'gzip' })],
  [4, (dice) => get('express', `/files/${dice.file()}`, { Range: range(dice) })],
  [4, (dice) => get('express', `/files/${dice.file()}`, { 'If-Modified-Since': MOMENT })],
  [2, (dice) => ({ site: 'express', steps: [{ method: 'HEAD', path: `/files/${dice.file()}` }] })],
  [2, () => get('express', '/download')],
  [5, (dice) => send('express', '/json', 'application/json', JSON.stringify({ text: text(dice) }))],
  [3, (dice) => send('express', '/form', FORM, `a=${dice.word()}&b[]=1&b[]=2&c=%C3%BC+x`)],
  [4, (dice) => send('express', '/raw', 'application/octet-stream', patternOf(dice.bytes()), 'PUT')],
  [3, chunkedToExpress],
  [6, (dice) => multipart('express', dice)],
  [3, cookieVisit],
  [
    3,
    (dice) => get('express', `/redirect/${dice.oneOf([301, 302, 303, 307, 308])}?to=${dice.oneOf(TARGETS)}`),
  ],
  [2, (dice) => get('express', `/events?count=${1 + dice.upTo(6)}`, { Accept: 'text/event-stream' })],
  [3, (dice) => get('express', `/chunks?count=${dice.upTo(100)}`)],
  [1, () => get('express', '/fails')],
  [1, (dice) => get('express', `/missing/${dice.word()}`)],
  // PHP: pages
  [4, (dice) => get('php', `/echo?a[]=1&a[]=${dice.word()}&x=%C3%BC`, { Cookie: `c=${dice.word()}; d=2` })],
  [3, (dice) => send('php', '/echo', FORM, `text=${encodeURIComponent(text(dice))}`)],
  [3, (dice) => multipart('php', dice)],
  [2, () => get('php', '/cookies')],
  [1, () => get('php', '/redirect')],
  [2, (dice) => get('php', `/gzip?lines=${dice.upTo(5000)}`, { 'Accept-Encoding': 'gzip' })],
  [2, () => get('php', '/stream')],
  [2, (dice) => get('php', `/status?code=${dice.oneOf([200, 201, 202, 400, 403, 404, 410, 418, 500, 503])}`)],
];

const FORM = 'application/x-www-form-urlencoded';
/** Later than the files that are served. */
const MOMENT = 'Fri, 01 Jan 2100 00:00:00 GMT';
const TARGETS = ['/hello', '/item/1?x=1', 'relative', 'https%3A%2F%2Felsewhere.example%2Fx', '%2F'];

/** One range: several have a boundary that is new each time. */
function range(dice: Dice): string {
  const from = dice.upTo(100_000);
  return dice.oneOf([`bytes=${from}-`, `bytes=${from}-${from + dice.upTo(70_000)}`, `bytes=-${1 + from}`]);
}

function text(dice: Dice): string {
  return `${dice.word()} grüße "x" & <y> `.repeat(1 + (dice.bytes() >> 5));
}

function uploadToNginx(dice: Dice, number: number): Scenario {
  const path = `/put/${number}-${dice.word()}.bin`;
  const body = patternOf(dice.bytes());
  return {
    site: 'nginx',
    steps: [
      { method: 'PUT', path, body },
      { method: 'GET', path },
      { method: 'DELETE', path },
      { method: 'GET', path },
    ],
    ofTheMoment: ['etag', 'last-modified'],
  };
}

function chunkedToExpress(dice: Dice): Scenario {
  const body = { bytes: dice.bytes(), framing: 'chunked' as const };
  return { site: 'express', steps: [{ method: 'PUT', path: '/raw', body }] };
}

function cookieVisit(dice: Dice): Scenario {
  const user = dice.word();
  return {
    site: 'express',
    steps: [
      { method: 'GET', path: `/login?user=${user}` },
      { method: 'GET', path: '/whoami', headers: { Cookie: `session=${user}; list=a%2Cb%3B%20c` } },
      { method: 'GET', path: '/logout', headers: { Cookie: `session=${user}` } },
    ],
  };
}

function multipart(site: Site, dice: Dice): Scenario {
  const boundary = `----${dice.word()}`;
  const parts: Buffer[] = [];
  const add = (head: string, body: Buffer | string): void => {
    parts.push(Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`));
    parts.push(Buffer.from(body), Buffer.from('\r\n'));
  };
  add('name="title"', `title ${dice.word()}`);
  for (let file = 0; file <= dice.upTo(3); file += 1) {
    const head = `name="file${file}"; filename="a b ${file}.bin"\r\nContent-Type: application/octet-stream`;
    add(head, patternOf(dice.bytes()));
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return send(site, '/upload', `multipart/form-data; boundary=${boundary}`, Buffer.concat(parts));
}

function pick<T>(random: () => number, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)] as T;
}

/** mulberry32: small, and the same everywhere. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
