/**
 * The load program in Node, for machines without a C compiler: the same modes, arguments and sink protocol as load.c
 * (load.h describes it), with one reused buffer. It may limit fast paths, so the report says when it was used.
 */
import net from 'node:net';
import { serve } from './serve-node.ts';

const headerBytes = 9;
const chunk = Buffer.alloc(64 * 1024, 'x');
const [mode = '', ...rest] = process.argv.slice(2);
const [port = 0, first = 0, second = 0] = rest.map(Number);

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** A stream whose bytes go to `onBytes`, by way of the one buffer. */
function dial(onBytes: (bytes: number, buffer: Buffer) => void): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const callback = (bytes: number) => {
      onBytes(bytes, chunk);
      return true;
    };
    const options = { port, host: '127.0.0.1', noDelay: true, onread: { buffer: chunk, callback } };
    const socket = net.connect(options, () => resolve(socket)).on('error', reject);
  });
}

/** Opens a stream with a command and resolves at the sink's 'r'; later bytes go to `onBytes`. */
async function openStream(command: string, length: bigint, onBytes: (bytes: number, buffer: Buffer) => void) {
  let ready: () => void;
  const answered = new Promise<void>((resolve) => (ready = resolve));
  let stands = false;
  const socket = await dial((bytes, buffer) => {
    if (stands) return onBytes(bytes, buffer);
    stands = true;
    ready();
    if (bytes > 1) onBytes(bytes - 1, buffer.subarray(1));
  });
  const header = Buffer.alloc(headerBytes, command);
  header.writeBigUInt64LE(length, 1);
  socket.write(header);
  await answered;
  return socket;
}

/** Writes `length` bytes as fast as they are taken. */
function pump(socket: net.Socket, length: number): void {
  let left = length;
  const more = (): void => {
    while (left > 0) {
      const size = Math.min(left, chunk.length);
      left -= size;
      if (!socket.write(chunk.subarray(0, size))) return void socket.once('drain', more);
    }
  };
  more();
}

async function bulk(down: boolean, count: number, total: number): Promise<void> {
  const done: Promise<void>[] = [];
  const streams: { socket: net.Socket; length: number }[] = [];
  for (let i = 0; i < count; i++) {
    const length = Math.floor(total / count) + (i === 0 ? total % count : 0);
    let got = 0;
    let finish: () => void;
    done.push(new Promise((resolve) => (finish = resolve)));
    const onBytes = (bytes: number, buffer: Buffer) => {
      got += bytes;
      if (down && got > length) throw new Error('more bytes came than were sent');
      if (!down && buffer.readBigUInt64LE(0) !== BigInt(length))
        throw new Error('the sink counted otherwise');
      if (!down || got === length) finish();
    };
    streams.push({ socket: await openStream(down ? 'D' : 'U', BigInt(length), onBytes), length });
  }
  const start = performance.now();
  for (const { socket, length } of streams) {
    if (down) socket.write('g');
    else pump(socket, length);
  }
  await Promise.all(done);
  say({ seconds: (performance.now() - start) / 1000, bytes: total, streams: count });
}

/** One byte there and back on a new stream, or again and again on an old one. */
async function echoStream(): Promise<{ socket: net.Socket; roundTrip: () => Promise<void> }> {
  let back: (() => void) | undefined;
  const socket = await dial(() => back?.());
  const roundTrip = () =>
    new Promise<void>((resolve) => {
      back = resolve;
      socket.write('e');
    });
  return { socket, roundTrip };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) * 1000;
}

function sayPercentiles(samples: number[]): void {
  samples.sort((a, b) => a - b);
  const at = (share: number) => samples[Math.floor(samples.length * share)];
  say({ count: samples.length, p50: at(0.5), p99: at(0.99), max: samples.at(-1) });
}

async function ping(count: number, seconds: number): Promise<void> {
  const { roundTrip } = await echoStream();
  for (let i = 0; i < 200; i++) await roundTrip();
  const [samples, end] = [[] as number[], performance.now() + seconds * 1000];
  while (samples.length < count && performance.now() < end) samples.push(await timed(roundTrip));
  sayPercentiles(samples);
}

async function newStream(): Promise<void> {
  const { socket, roundTrip } = await echoStream();
  await roundTrip();
  socket.destroy();
}

async function paced(count: number, intervalMs: number): Promise<void> {
  const samples: number[] = [];
  for (let i = -5; i < count; i++) {
    const took = await timed(newStream);
    if (i >= 0) samples.push(took);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, intervalMs - took / 1000)));
  }
  sayPercentiles(samples);
}

async function storm(inFlight: number, seconds: number): Promise<void> {
  const start = performance.now() + seconds * 200;
  const end = start + seconds * 1000;
  let [count, failed] = [0, 0];
  const worker = async () => {
    while (performance.now() < end) {
      const good = await newStream().then(
        () => true,
        () => false,
      );
      if (performance.now() < start) continue;
      if (good) count++;
      else failed++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  say({ count, failed, perSecond: count / seconds });
}

async function hold(line: object): Promise<void> {
  say({ ready: true, ...line });
  await new Promise((resolve) => process.stdin.resume().once('end', resolve));
}

async function idle(count: number): Promise<void> {
  let begun = 0;
  const worker = async () => {
    while (begun++ < count) await (await echoStream()).roundTrip();
  };
  await Promise.all(Array.from({ length: 50 }, worker));
  await hold({ open: count });
}

/** Fills streams without an end; into a stalled reader until nothing has moved for two seconds. */
async function fill(command: 'U' | 'S', count: number): Promise<void> {
  const streams: net.Socket[] = [];
  for (let i = 0; i < count; i++) streams.push(await openStream(command, 2n ** 62n, () => {}));
  for (const socket of streams) pump(socket, Number.MAX_SAFE_INTEGER);
  const written = () => streams.reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, 0);
  for (let last = -1; command === 'S' && last !== written();) {
    last = written();
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  await hold({ written: written(), streams: count });
}

const modes: Record<string, () => Promise<void>> = {
  up: () => bulk(false, first, second),
  down: () => bulk(true, first, second),
  ping: () => ping(first, second),
  paced: () => paced(first, second),
  storm: () => storm(first, second),
  idle: () => idle(first),
  flood: () => fill('U', first),
  stall: () => fill('S', first),
};

if (mode === 'serve') {
  serve(say);
} else {
  await modes[mode]?.();
  process.exit(0);
}
