/**
 * One hop of `node-onread`: reads into two 1 MiB buffers a direction through `onread` and writes views of them on.
 * A buffer is read into again only when its write is done; when both are busy, reading pauses. Node asks for the next
 * buffer right after each callback, so the choice is made there and never later.
 * Accepted sockets have no public `onread`: such a socket is made anew around the accepted handle.
 */
import net from 'node:net';
import { listenAndSayReady, readConfig, type HopConfig } from './hop.ts';

const bufferBytes = 1024 * 1024;
const { connectPort } = readConfig<HopConfig>();

/** The read side of one direction. */
class Reader {
  from!: net.Socket;
  to!: net.Socket;
  private readonly spare: Buffer[] = [Buffer.allocUnsafeSlow(bufferBytes)];
  private current: Buffer = Buffer.allocUnsafeSlow(bufferBytes);
  private paused = false;

  readonly onread = {
    buffer: (): Buffer => this.current,
    callback: (bytes: number): boolean => this.onBytes(bytes),
  };

  private onBytes(bytes: number): boolean {
    const full: Buffer = this.current;
    const done = () => this.onWritten(full);
    this.to.write(bytes === bufferBytes ? full : full.subarray(0, bytes), done);
    if (this.to.writableLength === 0) return true; // the kernel took it all: the same buffer again
    const next = this.spare.pop();
    if (next) this.current = next;
    else this.paused = true;
    return !this.paused;
  }

  private onWritten(buffer: Buffer): void {
    if (buffer !== this.current) this.spare.push(buffer);
    else if (this.paused) {
      this.paused = false; // only now: Node already holds this buffer for the next read
      this.from.resume();
    }
  }
}

interface WithHandle {
  _handle: object | null;
}

/** A socket with `onread` on the handle of an accepted one. */
function withOnread(accepted: net.Socket, onread: net.OnReadOpts): net.Socket {
  const old = accepted as unknown as WithHandle;
  const handle = old._handle;
  old._handle = null;
  const options = { handle, onread, allowHalfOpen: true, readable: true, writable: true };
  return new net.Socket(options);
}

function join(accepted: net.Socket): void {
  const forth = new Reader();
  const back = new Reader();
  const near = withOnread(accepted, forth.onread);
  const address = { port: connectPort, host: '127.0.0.1' };
  const far = net.connect({ ...address, noDelay: true, allowHalfOpen: true, onread: back.onread });
  forth.from = back.to = near;
  forth.to = back.from = far;
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroySoon());
  }
  near.resume();
  far.resume();
}

listenAndSayReady(net.createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, join));
