/**
 * Reads a hybrid connection's description from the relay with the listener's own token, as Microsoft's manager does
 * to learn its target: no ARM, no second credential.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { entityReadUrl } from '../protocol/addresses.ts';
import { parseEntityAnswer, type EntityDescription } from '../protocol/entity-description.ts';
import { HcmError } from '../protocol/errors.ts';
import type { Clock } from './clock.ts';
import { errorFromNetwork, orAborted, withDeadline } from './network-errors.ts';
import type { Connection } from './options.ts';
import type { RelayDialer } from './relay-dialer.ts';
import type { TokenProvider } from './token-provider.ts';
import { abortSignalOf, type CancelSignal } from '../websocket/cancel-signal.ts';

const READ_TIMEOUT_MS = 15_000;
/** A description is under 4 KiB; its metadata alone at most 1 KiB. */
const ANSWER_MAX_BYTES = 64 * 1024;

/** Rejects with HcmError: what the dialer gives, HCM_ENTITY_NOT_FOUND, HCM_UNAUTHORIZED, ... */
export async function readEntity(
  connection: Connection & { tokens: TokenProvider },
  use: { dialer: RelayDialer; clock: Clock; signal?: CancelSignal | undefined },
): Promise<EntityDescription> {
  const { endpoint, path, tokens } = connection;
  const late = () =>
    new HcmError('HCM_CONNECT_TIMEOUT', `${endpoint.host} did not describe "${path}" in time`, {
      retryable: true,
    });
  return withDeadline(
    { clock: use.clock, limitMs: READ_TIMEOUT_MS, late, signal: use.signal },
    async (signal) => {
      const token = await orAborted(tokens.token({ host: endpoint.host, path }), signal);
      const socket = await use.dialer.dial(endpoint.host, endpoint.port, signal);
      try {
        const answer = await get(socket, entityReadUrl(endpoint, path), token.text, signal);
        const body = await bodyOf(answer);
        return parseEntityAnswer({
          status: answer.statusCode ?? 0,
          contentType: answer.headers['content-type'],
          body,
          host: endpoint.host,
          path,
          reason: answer.statusMessage ?? '',
          serverDateMs: Date.parse(answer.headers.date ?? ''),
          nowMs: use.clock.nowMs(),
        });
      } finally {
        socket.destroy();
      }
    },
  );
}

async function get(socket: Socket, url: URL, token: string, signal: CancelSignal): Promise<IncomingMessage> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const headers = { host: url.host, authorization: token, 'x-process-at': 'ServiceBus' };
    const path = `${url.pathname}${url.search}`;
    // No `agent`, not even `false`: with one Node ignores `createConnection` and dials localhost:80.
    const asked = request({ createConnection: () => socket, path, headers, signal: abortSignalOf(signal) });
    asked.once('response', resolve);
    asked.once('error', (error) => {
      reject(signal.aborted ? signal.reason : errorFromNetwork(error, url.hostname, Number(url.port)));
    });
    asked.end();
  });
}

async function bodyOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > ANSWER_MAX_BYTES) {
      throw new HcmError('HCM_HANDSHAKE_FAILED', `The description is larger than ${ANSWER_MAX_BYTES} bytes`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
