/**
 * What a failed answer says: the relay's own refusals (they have no `Via`, which everything from a listener has) and those
 * that a listener of ours words with a code in the reason phrase. Other answers are the application's.
 */
import type { IncomingMessage } from 'node:http';
import type { HcmError } from '../../protocol/errors.ts';
import { codeFromWords, errorFromHandshake, parseRejection } from '../../protocol/relay-status.ts';
import type { Connection } from '../options.ts';

const LEAST_FAILURE = 400;
/** The relay's documents have some hundred bytes; what is longer is not its own. */
const DOCUMENT_MAX_BYTES = 16 * 1024;

export function isRelaysOwn({ statusCode = 0, headers }: IncomingMessage): boolean {
  return statusCode >= LEAST_FAILURE && headers.via === undefined;
}

/** The code that our listener put into the reason phrase. */
export function listenersRefusal(answer: IncomingMessage, connection: Connection): HcmError | undefined {
  const { statusCode = 0, statusMessage = '' } = answer;
  if (statusCode < LEAST_FAILURE || parseRejection(statusMessage) === undefined) return undefined;
  return refusalOf(answer, statusMessage, connection);
}

/** The relay's refusal. Reads the document from the answer, which says more than some phrases; it is given back. */
export async function relaysRefusal(
  answer: IncomingMessage,
  connection: Connection,
  nowMs: number,
): Promise<{ error: HcmError; body: Buffer }> {
  const { statusMessage = '' } = answer;
  const body = await readStart(answer);
  const saysMore = codeFromWords(statusMessage) !== undefined || /TrackingId:/i.test(statusMessage);
  const reason = saysMore ? statusMessage : (messageIn(body) ?? statusMessage);
  return { error: refusalOf(answer, reason, connection, nowMs), body };
}

function refusalOf(
  { statusCode = 0, headers }: IncomingMessage,
  reason: string,
  { endpoint, path }: Connection,
  nowMs?: number,
): HcmError {
  const facts = { status: statusCode, reason, host: endpoint.host, path };
  return errorFromHandshake({
    ...facts,
    role: 'connect',
    serverDateMs: Date.parse(headers.date ?? ''),
    nowMs,
  });
}

/** The body, or its start when it is long: the rest is left in the stream. Never rejects. */
async function readStart(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve) => {
    const finish = () => {
      answer.off('readable', onReadable).off('end', finish).off('error', finish).off('close', finish);
      resolve(Buffer.concat(chunks));
    };
    const onReadable = () => {
      for (
        let chunk: Buffer | null;
        bytes < DOCUMENT_MAX_BYTES && (chunk = answer.read() as Buffer | null);
      ) {
        chunks.push(chunk);
        bytes += chunk.length;
      }
      if (bytes >= DOCUMENT_MAX_BYTES) finish();
    };
    answer.on('readable', onReadable).once('end', finish).once('error', finish).once('close', finish);
  });
}

/** `{"error":{"message":…}}`, as the service words it. */
function messageIn(body: Buffer): string | undefined {
  try {
    const { error } = JSON.parse(body.toString()) as { error?: { message?: unknown; code?: unknown } };
    const words = [error?.code, error?.message].filter((word) => typeof word === 'string');
    return words.length === 0 ? undefined : words.join(': ');
  } catch {
    return undefined;
  }
}
