/**
 * Proof: a connection goes through the relay to a listener and its target, and back. It sends nothing, so that every
 * target can bear it: opened, ended in peace, and the far end's answer to that awaited for a moment.
 */
import { HcmError } from '../../../protocol/errors.ts';
import { sleep } from '../../../tunnel/clock.ts';
import { Sender, type OpenStream } from '../../../tunnel/sender.ts';
import { WebSocketEnd } from '../../../tunnel/websocket-end.ts';
import type { Case } from './proof.ts';
import { ok, skipped, warning, type Finding } from './report.ts';
import type { LogicalPort } from './scene.ts';
import type { CancelSignal } from '../../../tunnel/network-errors.ts';

/** As long as the relay holds a sender while a listener is asked, and some more. */
const OPEN_LIMIT_MS = 40_000;
/**
 * Microsoft's manager takes a stream before it knows its target, and ends it at once when there is none; our listener
 * refuses it instead.
 */
const LOOK_MS = 500;
/** Many servers end when their client does; those that do not are left. */
const END_LIMIT_MS = 2_000;

export async function proveProbe({ scene, rights }: Case): Promise<Finding> {
  const { send } = await rights();
  if (send.connection === undefined) return skipped('needs a rule with the right Send');
  const { clock, network, signal } = scene;
  const sender = new Sender(send.connection, {
    ...network,
    ...{ clock, keepAlive: 'off', attemptTimeoutMs: OPEN_LIMIT_MS, totalTimeoutMs: OPEN_LIMIT_MS },
  });
  const beganMs = clock.monotonicMs();
  const [port] = scene.ports?.filter(({ target }) => target?.kind !== 'udp') ?? [];
  if (scene.ports !== undefined && port === undefined)
    return skipped('azbridge has only ports for datagrams here, which nobody need answer');
  const { webSocket, relay } = await open(sender, port, signal);
  const openMs = Math.round(clock.monotonicMs() - beganMs);
  const far = new FarEnd(relay ?? new WebSocketEnd(webSocket));
  try {
    await Promise.race([far.ended, sleep(clock, LOOK_MS, signal)]);
    const endedAtOnce = far.isOver && far.bytes === 0;
    far.end();
    await Promise.race([far.closed, sleep(clock, END_LIMIT_MS, signal)]);
    const facts = { openMs, bytesFromTarget: far.bytes, endedByTarget: far.isOver };
    if (!endedAtOnce)
      return ok(`open after ${openMs} ms, and ended${far.isOver ? ' by both sides' : ''}`, facts);
    const text = `A stream came about after ${openMs} ms and was ended at once by the far side`;
    const error = new HcmError('HCM_TARGET_UNREACHABLE', text, { retryable: true });
    return warning(
      error,
      "Microsoft's manager does so when it does not reach its target; a target that ends first does, too.",
      facts,
    );
  } finally {
    far.abandon();
  }
}

async function open(
  sender: Sender,
  port: LogicalPort | undefined,
  signal: CancelSignal,
): Promise<OpenStream> {
  if (port === undefined) return sender.open({ signal });
  const { openLogicalPort } = await import('../../../tunnel/azbridge/logical-port.ts');
  return openLogicalPort(sender, { name: port.name, mode: 'stream', signal });
}

/** The far side of the stream: counts what comes, and keeps nothing. */
class FarEnd {
  readonly ended: Promise<void>;
  readonly closed: Promise<void>;
  bytes = 0;
  isOver = false;
  readonly #end: WebSocketEnd;
  #isClosed = false;

  constructor(end: WebSocketEnd) {
    this.#end = end;
    let onEnded: () => void = () => undefined;
    let onClosed: () => void = () => undefined;
    this.ended = new Promise((resolve) => (onEnded = resolve));
    this.closed = new Promise((resolve) => (onClosed = resolve));
    end.start({
      onBytes: (chunks) => {
        for (const chunk of chunks) this.bytes += chunk.length;
      },
      onEnd: () => {
        this.isOver = true;
        onEnded();
      },
      onDrain: () => undefined,
      onClosed: () => {
        this.#isClosed = true;
        onEnded();
        onClosed();
      },
    });
  }

  /** Ends our direction. */
  end(): void {
    if (!this.#isClosed) this.#end.end();
  }

  abandon(): void {
    if (!this.#isClosed) this.#end.reset(new Error('the probe is over'));
  }
}
