/**
 * Proves that a path works: goes through its local port, as an app would, and hears from the sender what became of the
 * stream. A sample target must answer, too.
 */
import { get } from 'node:http';
import { connect, type IpcNetConnectOpts, type TcpNetConnectOpts } from 'node:net';
import { HcmError } from '../../../protocol/errors.ts';
import { parseBind } from '../../../protocol/target.ts';
import type { TunnelEvent } from '../../../tunnel/events.ts';

/** Tells the fate of the first stream. */
export class StreamWitness {
  #stream: string | undefined;
  /** Resolves when the stream is open, rejects with the HcmError that it was refused with. */
  readonly opened: Promise<void>;
  /** Resolves when it is closed. */
  readonly closed: Promise<void>;
  #onOpened: () => void = () => undefined;
  #onRefused: (error: HcmError) => void = () => undefined;
  #onClosed: () => void = () => undefined;

  constructor() {
    this.closed = new Promise((resolve) => (this.#onClosed = resolve));
    this.opened = new Promise((resolve, reject) => {
      this.#onOpened = resolve;
      this.#onRefused = reject;
    });
    this.opened.catch(() => undefined);
  }

  /** True for events of the first stream, at either half. */
  isAbout(event: TunnelEvent): boolean {
    return 'stream' in event && event.stream === this.#stream;
  }

  /** Takes events of the sender. */
  note(event: TunnelEvent): void {
    if (event.event === 'opening') this.#stream ??= event.stream;
    if (event.event === 'opened') this.#onOpened();
    if (event.event === 'refused') this.#onRefused(event.error);
    if (event.event === 'closed') this.#onClosed();
  }
}

/** Resolves when a stream went through `bind` to the target. Rejects with the HcmError that says why not. */
export async function probePath(bind: string, witness: StreamWitness, speaksHttp: boolean): Promise<void> {
  const at = addressOf(bind);
  if (speaksHttp) {
    await probeHttp(at).catch(async (error: Error) => {
      // A refusal by the relay says more than the broken connection that comes of it.
      await witness.opened;
      throw new HcmError('HCM_CONNECT_FAILED', `The probe through ${bind} failed: ${error.message}`);
    });
    await witness.closed;
  } else {
    const socket = connect(at);
    socket.on('error', () => undefined).resume();
    await witness.opened;
    // A target may keep a client that only ends for ever; none keeps one that is gone. A Unix socket has no reset.
    if ('path' in at) socket.destroy();
    else socket.resetAndDestroy();
  }
}

function probeHttp(at: TcpNetConnectOpts | IpcNetConnectOpts): Promise<void> {
  const options = 'path' in at ? { socketPath: at.path } : at;
  return new Promise((resolve, reject) => {
    const request = get({ ...options, path: '/', agent: false }, (response) => {
      response.resume().once('end', resolve).once('error', reject);
    });
    request.once('error', reject);
  });
}

function addressOf(bind: string): TcpNetConnectOpts | IpcNetConnectOpts {
  const parsed = parseBind(bind);
  if (parsed.kind === 'unix') return { path: parsed.path };
  const everywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  return { host: everywhere[parsed.host] ?? parsed.host, port: parsed.port };
}
