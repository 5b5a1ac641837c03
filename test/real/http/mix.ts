// Two hundred requests, each another way to use HTTP: sizes around what fits the control channel, framings, methods,
// statuses, phrases, headers, queries, slow bodies, aborts. What they are, not who sends or answers them.
import { STATUS_CODES } from 'node:http';
import type { HttpRequest } from './exchange.ts';
import type { AnswerPlan, Delivery } from './mix-handler.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** What the control channel carries inline, and its neighbours. */
const SIZES = [0, 1, 65_535, 65_536, 65_537, MIB];
const DELIVERIES: readonly Delivery[] = ['end', 'write', 'pieces', 'paced'];
const FRAMINGS = ['length', 'chunked'] as const;
/** CONNECT is forbidden; TRACE and GET may not have a body. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH', 'PROPFIND', 'REPORT'];
const ODD_STATUSES = [299, 306, 418, 450, 499, 599];
/** Every so many requests go by curl, where curl can say what is wanted. */
const CURL_EVERY = 4;

export interface MixedRequest {
  /** What is asked, to read in a failure. */
  readonly title: string;
  readonly by: 'node' | 'curl';
  readonly request: HttpRequest;
  readonly plan: AnswerPlan;
}

export function mixedRequests(): MixedRequest[] {
  const all = [
    ...uploads(),
    ...downloads(),
    ...bothWays(),
    ...methods(),
    ...heads(),
    ...statuses(),
    ...phrases(),
    ...requestHeaders(),
    ...answerHeaders(),
    ...targets(),
    ...slowOnes(),
    ...aborted(),
    ...brokenOff(),
  ];
  return all.map(([title, request, plan], at) => ({
    title,
    by: at % CURL_EVERY === 0 && curlCan(request) ? 'curl' : 'node',
    request: { ...request, headers: { ...request.headers, 'x-answer': JSON.stringify(plan) } },
    plan,
  }));
}

type Entry = [title: string, request: HttpRequest, plan: AnswerPlan];

/** curl does not go away by itself, does not pause, and shows no HEAD that was asked with a body. */
function curlCan({ abort, body, method, path }: HttpRequest): boolean {
  const isSlow = body !== undefined && !Buffer.isBuffer(body) && body.framing === 'slow';
  return abort === undefined && !isSlow && !(method === 'HEAD' && body !== undefined) && !/[^ -~]/.test(path);
}

function uploads(): Entry[] {
  return SIZES.flatMap((bytes) =>
    FRAMINGS.flatMap((framing) =>
      ['POST', 'PUT'].map((method): Entry => {
        return [
          `${method} of ${bytes} bytes, ${framing}`,
          { method, path: '/up', body: { bytes, framing } },
          {},
        ];
      }),
    ),
  );
}

function downloads(): Entry[] {
  return SIZES.flatMap((bytes) =>
    DELIVERIES.filter((delivery) => delivery !== 'paced' || bytes <= 65_537).map((delivery): Entry => {
      return [`GET of ${bytes} bytes, ${delivery}`, { method: 'GET', path: '/down' }, { bytes, delivery }];
    }),
  );
}

function bothWays(): Entry[] {
  return SIZES.map((bytes, at) => {
    const body = { bytes, framing: FRAMINGS[at % 2] ?? 'length' };
    return [`POST of ${bytes} bytes both ways`, { method: 'POST', path: '/both', body }, { bytes }];
  });
}

function methods(): Entry[] {
  return METHODS.flatMap((method) => {
    const bare: Entry = [`${method} without a body`, { method, path: '/method' }, { bytes: 100 }];
    if (['GET', 'HEAD', 'TRACE'].includes(method)) return [bare];
    const body = { bytes: 1000, framing: 'length' as const };
    return [
      bare,
      [`${method} with a body`, { method, path: '/method', body }, { bytes: 100 }] satisfies Entry,
    ];
  });
}

function heads(): Entry[] {
  return SIZES.flatMap((bytes) =>
    (['end', 'write'] as const).map((delivery): Entry => {
      return [`HEAD of ${bytes} bytes, ${delivery}`, { method: 'HEAD', path: '/head' }, { bytes, delivery }];
    }),
  );
}

function statuses(): Entry[] {
  const known = Object.keys(STATUS_CODES).map(Number);
  return [
    ...known.filter((status) => status >= 200),
    ...ODD_STATUSES.filter((odd) => !known.includes(odd)),
  ].map((status, at) => {
    const bytes = at % 3 === 0 ? 500 : 0;
    return [`status ${status}`, { method: 'GET', path: '/status' }, { status, bytes }];
  });
}

function phrases(): Entry[] {
  const texts = ['Fine', 'A longer phrase, with (marks): 100%', "I'm here", 'a'.repeat(400), '\u00fcber'];
  return texts.map((reason) => [
    `the phrase ${reason.slice(0, 30)}`,
    { method: 'GET', path: '/phrase' },
    { reason, status: 202 },
  ]);
}

function requestHeaders(): Entry[] {
  const sets: Record<string, string | string[]>[] = [
    { accept: ['text/html', 'application/json;q=0.9'] },
    { 'x-list': ['one', 'two, three', 'four'] },
    { 'x-empty': '' },
    { 'x-long': 'x'.repeat(10_000) },
    { 'x-marks': '!#$%&\'*+-.^_`|~ "quoted" (comment) \\ /' },
    { 'x-latin': '\u00fcn\u00efc\u00f6de' },
    { cookie: 'one=1; two=2' },
    { te: 'trailers', connection: 'close' },
    { authorization: 'Basic dXNlcjpwYXNz' },
    { via: '1.0 before', 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.1' },
    { 'if-none-match': '"etag"', range: 'bytes=0-9', 'accept-encoding': 'gzip, br' },
    { 'user-agent': 'mix/1', referer: 'http://example.test/?a=b', origin: 'null' },
    { 'x-under_score': '1', 'x-under-score': '2' },
    { date: 'Sun, 06 Nov 1994 08:49:37 GMT', pragma: 'no-cache', 'cache-control': 'no-cache, no-store' },
  ];
  return sets.map((headers) => [
    `request headers ${Object.keys(headers).join(', ')}`,
    { method: 'GET', path: '/headers', headers },
    {},
  ]);
}

function answerHeaders(): Entry[] {
  const sets: Record<string, string | string[]>[] = [
    { 'set-cookie': 'one=1; Path=/; HttpOnly' },
    { 'set-cookie': ['a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT', 'b=2', 'c="x, y"; Secure'] },
    { vary: ['Accept', 'Cookie'] },
    { 'www-authenticate': ['Basic realm="a"', 'Bearer'] },
    { 'x-empty': '', 'x-marks': '"q" (c) \\ / =' },
    { 'x-long': 'y'.repeat(10_000) },
    { location: 'https://elsewhere.example/path?x=1#part' },
    { 'content-type': 'text/plain; charset=utf-8', 'content-disposition': 'attachment; filename="a b.txt"' },
    { etag: 'W/"1"', 'last-modified': 'Sun, 06 Nov 1994 08:49:37 GMT', 'cache-control': 'max-age=1' },
    { via: '1.1 inner' },
    { 'x-latin': '\u00fcn\u00efc\u00f6de' },
    { server: 'mine', 'accept-ranges': 'bytes', age: '7', allow: 'GET, HEAD' },
  ];
  return sets.map((headers) => [
    `answer headers ${Object.keys(headers).join(', ')}`,
    { method: 'GET', path: '/headers' },
    { headers, bytes: 10 },
  ]);
}

function targets(): Entry[] {
  const paths = [
    '',
    '/',
    '?',
    '?a=1',
    '/a//b///',
    '/a/../b/./c',
    '/%20%2F%3F%25',
    '/caf%C3%A9',
    '/a;p=1,2/b:c@d',
    `/${'deep/'.repeat(100)}`,
    `/?long=${'q'.repeat(4000)}`,
    '/?a=1&a=2&&=&b=%26%3D+%20',
  ];
  return paths.map((path) => [`the path "${path.slice(0, 30)}"`, { method: 'GET', path }, {}]);
}

function slowOnes(): Entry[] {
  return [1000, 65_536, 300_000].flatMap((bytes): Entry[] => [
    [
      `a slow upload of ${bytes} bytes`,
      { method: 'PUT', path: '/slow', body: { bytes, framing: 'slow' } },
      {},
    ],
    [
      `a slow upload and answer of ${bytes} bytes`,
      { method: 'POST', path: '/slow', body: { bytes, framing: 'slow' } },
      { bytes, delivery: 'paced' },
    ],
  ]);
}

/** These have no answer to compare: what must hold is that all the others are answered. */
function aborted(): Entry[] {
  const body = { bytes: MIB, framing: 'length' as const };
  return [
    ['an upload that is aborted', { method: 'POST', path: '/abort', body, abort: 'sending' }, {}],
    [
      'a chunked upload that is aborted',
      { method: 'POST', path: '/abort', body: { ...body, framing: 'chunked' }, abort: 'sending' },
      {},
    ],
    [
      'a small upload that is aborted',
      { method: 'PUT', path: '/abort', body: { ...body, bytes: 100 }, abort: 'sending' },
      {},
    ],
    ['a download that is aborted', { method: 'GET', path: '/abort', abort: 'receiving' }, { bytes: 4 * MIB }],
    [
      'a slow download that is aborted',
      { method: 'GET', path: '/abort', abort: 'receiving' },
      { bytes: MIB, delivery: 'paced' },
    ],
  ];
}

function brokenOff(): Entry[] {
  const plan: AnswerPlan = { bytes: 400_000, delivery: 'broken' };
  return [['an answer that breaks off', { method: 'GET', path: '/broken' }, plan]];
}
