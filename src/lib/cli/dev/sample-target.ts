/** A small HTTP server on loopback, for `hcm dev` without --target. Each request is a stream of its own. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Target } from '../../../protocol/target.ts';
import { renderPage, renderText, type SampleRequest } from './sample-page.ts';
import type { Route } from './sample-page.ts';
import type { StreamLog } from './stream-log.ts';

const HOST = '127.0.0.1';

export class SampleTarget {
  readonly target: Target;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.target = { host: HOST, port: (server.address() as AddressInfo).port };
  }

  /** Resolves when it listens. `describe` is asked at each request. */
  static async start(describe: () => { route: Route; log: StreamLog }): Promise<SampleTarget> {
    const server = createServer((request, response) => {
      readBody(request).then(
        (bodyBytes) => {
          const { route, log } = describe();
          const html = /\btext\/html\b/.test(request.headers.accept ?? '');
          const render = html ? renderPage : renderText;
          const type = `text/${html ? 'html' : 'plain'}; charset=utf-8`;
          // The next request shall be a stream of its own, and this one's bytes be counted.
          response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store', connection: 'close' });
          response.end(render(route, describeRequest(request, bodyBytes), log));
        },
        () => response.destroy(),
      );
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, HOST, resolve);
    });
    return new SampleTarget(server);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function readBody(request: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of request) bytes += (chunk as Buffer).length;
  return bytes;
}

function describeRequest(request: IncomingMessage, bodyBytes: number): SampleRequest {
  const { method = '', url = '', socket, rawHeaders } = request;
  const headers = rawHeaders.flatMap((name, index) => {
    return index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] as const] : [];
  });
  return { method, url, from: `${socket.remoteAddress}:${socket.remotePort}`, headers, bodyBytes };
}
