/**
 * Resource Manager on HTTP: reads a request, has it dispatched, and writes the answer with ARM's headers. Every
 * exception becomes one of ARM's errors here.
 */
import type { ServerResponse } from 'node:http';
import { urlHost } from '../../protocol/relay-hosts.ts';
import type { AzurePart } from '../server/azure-door.ts';
import { BodyTooLarge, readBody } from '../server/http-body.ts';
import type { HttpRequest } from '../server/http-request.ts';
import { answerHeaders } from './answer-headers.ts';
import { ArmError } from './arm-error.ts';
import { isWrite, readArmPath } from './arm-path.ts';
import type { ArmContext } from './context.ts';
import { Dispatcher } from './dispatch.ts';
import { segmentsOf, type ArmAnswer } from './router.ts';

export function createArmHandler(context: ArmContext): AzurePart {
  const dispatcher = new Dispatcher(context);
  return async (request, response) => {
    const { message, asked } = request;
    const method = (message.method ?? 'GET').toUpperCase();
    const scheme = 'encrypted' in message.socket ? 'https' : 'http';
    const baseUrl = `${scheme}://${urlHost(asked.host)}:${asked.port}`;
    const url = new URL(originForm(message.url ?? '/'), baseUrl);
    const path = readArmPath(method, segmentsOf(url.pathname));
    const headers = answerHeaders(method, message.headers, context.nowMs());
    const answer = await bodyText(request)
      .then((text) => dispatcher.answer({ method, url, path, baseUrl, headers: message.headers, text }))
      .catch((error: unknown) => answerToError(error, headers));
    if (response.destroyed) return true;
    send(response, method, answer, headers);
    const { status, body } = answer;
    const write = isWrite(method, path);
    context.emit({ event: 'arm', method, path: url.pathname, status, write, code: errorCodeIn(body) });
    return true;
  };
}

async function bodyText(request: HttpRequest): Promise<string> {
  try {
    return (await readBody(request.message)).toString('utf8');
  } catch (error) {
    if (!(error instanceof BodyTooLarge)) throw error;
    throw new ArmError(413, 'RequestContentTooLarge', 'The request content size exceeds the limit of 4 MB.');
  }
}

function answerToError(error: unknown, headers: Readonly<Record<string, string>>): ArmAnswer {
  if (error instanceof ArmError)
    return { status: error.status, headers: error.headers, body: error.toBody() };
  const id = headers['x-ms-correlation-request-id'];
  const what = error instanceof Error ? ` (${error.message})` : '';
  const message = `Encountered internal server error${what}. Diagnostic information: tracking Id '${id}', request correlation Id '${id}'.`;
  return { status: 500, body: { error: { code: 'InternalServerError', message } } };
}

function send(
  response: ServerResponse,
  method: string,
  answer: ArmAnswer,
  headers: Readonly<Record<string, string>>,
): void {
  const { body } = answer;
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const typed = text === '' ? {} : { 'Content-Type': 'application/json; charset=utf-8' };
  // 204 has no body and says nothing of its length.
  const length = answer.status === 204 ? {} : { 'Content-Length': String(Buffer.byteLength(text)) };
  response.writeHead(answer.status, { ...headers, ...typed, ...length, ...answer.headers });
  response.end(method === 'HEAD' ? undefined : text);
}

function errorCodeIn(body: unknown): string | undefined {
  const { error, Code } = (body ?? {}) as { error?: { code?: string }; Code?: string };
  return error?.code ?? Code;
}

/** A proxy's request names the host, too. */
function originForm(target: string): string {
  return target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/^\/+/, '/');
}
