/**
 * The sender: an HTTP client that keeps its connections open. Told by a ClientConfig in argv[2]; prints one line of
 * numbers and ends. Every answer is checked: 200, and the length that was asked for.
 */
import http from 'node:http';
import https from 'node:https';
import type { HttpEntry } from '../peers/peer.ts';

export interface ClientConfig extends HttpEntry {
  mode: 'get' | 'down' | 'up';
  /** Requests in flight, each on a connection of its own. */
  atOnce: number;
  /** get: for so long, once every connection has had an answer; at most `limit` requests are counted. */
  seconds: number;
  limit: number;
  /** down, up: the body's size. */
  bytes: number;
}

const config = JSON.parse(process.argv[2] ?? '{}') as ClientConfig;
const client = config.url.startsWith('https:') ? https : http;
const agent = new client.Agent({ keepAlive: true, maxSockets: config.atOnce, ca: config.caPem });
const chunk = Buffer.alloc(64 * 1024, 'x');

interface Answer {
  bytes: number;
  /** Its beginning, enough for a number. */
  start: string;
}

/** One request; `send` writes its body, if it has one. */
function ask(method: string, path: string, send?: (request: http.ClientRequest) => void): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { method, agent, headers: config.headers };
    const request = client.request(`${config.url}${path}`, options, (response) => {
      const answer: Answer = { bytes: 0, start: '' };
      response.on('data', (data: Buffer) => {
        if (answer.bytes === 0) answer.start = data.toString('latin1', 0, 20);
        answer.bytes += data.length;
      });
      response.once('error', reject).once('end', () => {
        if (response.statusCode === 200 && response.complete) resolve(answer);
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${response.statusMessage}`));
      });
    });
    request.once('error', reject);
    if (send) send(request);
    else request.end();
  });
}

async function get({ atOnce, seconds, limit }: ClientConfig): Promise<Record<string, number>> {
  const askSmall = async (): Promise<void> => {
    const { bytes } = await ask('GET', '/small');
    if (bytes !== 128) throw new Error(`a small answer of ${bytes} bytes`);
  };
  await Promise.all(Array.from({ length: atOnce }, askSmall));
  const start = performance.now();
  const end = start + seconds * 1000;
  const samples: number[] = [];
  let last = start;
  const worker = async (): Promise<void> => {
    while (performance.now() < end && samples.length < limit) {
      const before = performance.now();
      await askSmall();
      last = performance.now();
      samples.push((last - before) * 1000);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  samples.sort((a, b) => a - b);
  const at = (share: number): number => samples[Math.floor(samples.length * share)] ?? Number.NaN;
  const perSecond = samples.length / ((last - start) / 1000);
  return { count: samples.length, perSecond, p50: at(0.5), p99: at(0.99) };
}

async function transfer({ mode, bytes }: ClientConfig): Promise<Record<string, number>> {
  const start = performance.now();
  const answer = mode === 'down' ? await ask('GET', `/bytes/${bytes}`) : await ask('POST', '/take', give);
  const arrived = mode === 'down' ? answer.bytes : Number(answer.start);
  if (arrived !== bytes) throw new Error(`${mode}: ${arrived} of ${bytes} bytes arrived`);
  const seconds = (performance.now() - start) / 1000;
  return { bytes, seconds, mbPerSecond: bytes / 1e6 / seconds };
}

function give(request: http.ClientRequest): void {
  let left = config.bytes;
  const more = (): void => {
    while (left > 0) {
      const size = Math.min(left, chunk.length);
      left -= size;
      if (!request.write(chunk.subarray(0, size))) return void request.once('drain', more);
    }
    request.end();
  };
  more();
}

try {
  const numbers = config.mode === 'get' ? await get(config) : await transfer(config);
  process.stdout.write(`${JSON.stringify(numbers)}\n`);
  process.exit(0);
} catch (error) {
  process.stderr.write((error as Error).message);
  process.exit(1);
}
