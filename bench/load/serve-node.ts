/** The sink of the Node load program: takes, gives, echoes or ignores bytes, as each stream's first byte asks. */
import net, { type AddressInfo } from 'node:net';

const headerBytes = 9;
const chunk = Buffer.alloc(64 * 1024, 'x');

/** Listens on a free loopback port and says which. */
export function serve(say: (line: object) => void): void {
  const server = net.createServer({ noDelay: true, allowHalfOpen: false }, onStream);
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
    say({ ready: true, port: (server.address() as AddressInfo).port });
  });
}

function onStream(socket: net.Socket): void {
  let head = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  const onHead = (data: Buffer): void => {
    head = Buffer.concat([head, data]);
    const command = String.fromCharCode(head[0] ?? 0);
    if (command === 'e') {
      socket.off('data', onHead);
      socket.write(head);
      socket.pipe(socket);
    } else if (head.length >= headerBytes) {
      socket.off('data', onHead);
      socket.write('r');
      const length = Number(head.readBigUInt64LE(1));
      if (command === 'S') socket.pause();
      else if (command === 'D') socket.once('data', () => give(socket, length));
      else take(socket, length, head.length - headerBytes);
    }
  };
  socket.on('data', onHead);
}

function take(socket: net.Socket, length: number, already: number): void {
  let seen = already;
  let answered = false;
  socket.on('data', (data: Buffer) => {
    seen += data.length;
    if (answered || seen < length) return;
    answered = true;
    const count = Buffer.alloc(8);
    count.writeBigUInt64LE(BigInt(seen));
    socket.write(count);
  });
}

function give(socket: net.Socket, length: number): void {
  let left = length;
  const more = (): void => {
    while (left > 0) {
      const size = Math.min(left, chunk.length);
      left -= size;
      if (!socket.write(chunk.subarray(0, size))) return void socket.once('drain', more);
    }
    socket.end();
  };
  more();
}
