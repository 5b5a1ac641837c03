import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import type { RequestHandler } from '../../../src/tunnel/http/request-server.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { ENTITY } from '../../helpers/tunnel.ts';
import { HttpTargetBed, type Answer, type Ask } from './http-target-bed.ts';

const FILE = new URL('../../../package-lock.json', import.meta.url);

/** Written for http.createServer, as programs are; it knows nothing of a relay. */
const handler: RequestListener = (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  const route = routes[pathname.split('/').at(-1) ?? ''];
  response.setHeader('X-Route', pathname.split('/').at(-1) ?? '');
  if (route) route(request, response, searchParams);
  else {
    response.statusCode = 404;
    response.statusMessage = 'No such page';
    response.end(`no ${request.method} here`);
  }
};

const routes: Record<
  string,
  (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => void
> = {
  json(request, response) {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(201, { 'Content-Type': 'application/json' });
      response.write('{"length":');
      response.end(`${Buffer.concat(chunks).length},"type":"${request.headers['content-type']}"}`);
    });
  },
  file(_request, response) {
    response.setHeader('Content-Type', 'application/json');
    pipeline(createReadStream(FILE), response, () => undefined);
  },
  echo(request, response) {
    request.pipe(response);
  },
  async slow(_request, response) {
    response.flushHeaders();
    for (const word of ['one', 'two', 'three']) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!response.write(word)) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.end();
  },
  headers(_request, response, query) {
    response.appendHeader('X-Many', 'a').appendHeader('X-Many', 'b');
    response.setHeader('X-Gone', 'x');
    response.removeHeader('x-gone');
    const errors = [
      () => response.setHeader('X-Bad', 'a\r\nb'),
      () => response.setHeader('X Bad', 'a'),
      () => response.setHeader('X-Bad', undefined as unknown as string),
      () => response.writeHead(42),
      () => {
        response.end(String(query));
        response.setHeader('X-Late', '1');
      },
    ].map((act) => {
      try {
        act();
        return 'nothing';
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
    seenErrors.push(errors);
  },
  nothing(_request, response) {
    response.writeHead(204).end();
  },
};

const seenErrors: string[][] = [];

describe('a handler of a program', () => {
  expectNothingLeft();
  let http: HttpTargetBed;
  let origin: string;

  beforeEach(async () => {
    http = await HttpTargetBed.start();
    origin = await http.serve(handler);
    const listener = await http.listen('127.0.0.1:9');
    listener.on('request', handler as unknown as RequestHandler);
    seenErrors.length = 0;
  });
  afterEach(() => http.stop());

  const requests: [string, Ask?][] = [
    ['/json', { method: 'POST', body: 'x'.repeat(1000), headers: { 'Content-Type': 'text/x' } }],
    ['/json', { method: 'POST', body: Buffer.alloc(100_000), headers: { 'Content-Type': 'text/x' } }],
    ['/file'],
    ['/file', { method: 'HEAD' }],
    ['/echo', { method: 'PUT', body: 'echo me' }],
    ['/slow'],
    ['/headers?a=1&b=%20'],
    ['/nothing'],
    ['/missing', { method: 'DELETE' }],
  ];
  for (const [path, ask] of requests) {
    it(`answers ${ask?.method ?? 'GET'} ${path} as under http.createServer`, async () => {
      const direct = await http.direct(origin, `/${ENTITY}${path}`, ask);
      const relayed = await http.ask(path, ask);
      assert.deepEqual(comparable(relayed), comparable(direct));
      assert.deepEqual(seenErrors[1], seenErrors[0]);
    });
  }

  it('gets a large file through whole', async () => {
    assert.equal((await http.ask('/file')).body.length, (await stat(FILE)).size);
  });
});

const NOT_COMPARED = ['date', 'connection', 'keep-alive', 'via', 'transfer-encoding', 'content-length'];

/** What is of one connection, and the relay's own Via, differ. */
function comparable({ status, phrase, headers, body }: Answer) {
  const kept = Object.entries(headers).filter(([name]) => !NOT_COMPARED.includes(name));
  return { status, phrase, headers: Object.fromEntries(kept), body: body.toString('latin1') };
}
