/**
 * Joins the rendezvous of a sender and of a listener as the relay does: data goes across as it arrives, messages
 * keep their kind and boundaries, a Close ends one direction only, Pings are answered here and never cross, and the
 * loss of one side without a Close aborts the other without one.
 */
import type { WebSocket, WebSocketHandler } from '../../websocket/websocket.ts';

export interface JoinOptions {
  /** A side that has not closed this long after the other did is cut, in ms. Default: never. */
  halfOpenLimitMs?: number | undefined;
  /** Called with the bytes of each fragment, before it is passed on. May destroy a side. */
  onBytes?: ((bytes: number) => void) | undefined;
}

export interface Join {
  /** Resolves when both sides are gone; true when both had closed. */
  readonly done: Promise<boolean>;
  /** Aborts both sides without a Close. */
  abort(): void;
  /** Closes both directions, as the service does when it ends a stream itself. */
  close(code: number, reason: string): void;
  /** Stops reading both sides for good, and so answers nothing any more: a peer must notice by itself. */
  freeze(): void;
}

/** Takes both WebSockets over. Neither may have been started. */
export function join(a: WebSocket, b: WebSocket, options: JoinOptions = {}): Join {
  let open = 2;
  let clean = true;
  let frozen = false;
  let limit: NodeJS.Timeout | undefined;
  let finish: (clean: boolean) => void = () => undefined;
  const done = new Promise<boolean>((resolve) => (finish = resolve));
  const abort = () => {
    a.destroy();
    b.destroy();
  };
  const side = (from: WebSocket, to: WebSocket, hold = () => from.lease()): WebSocketHandler => ({
    onBatch: (phase, bytes) => (phase === 'begin' ? to.cork(bytes) : to.uncork()),
    onFragment(payload, opcode, _first, last) {
      options.onBytes?.(payload.length);
      if (!to.sendFragment(payload, opcode, last, hold)) from.pause();
    },
    onClose(code, reason) {
      to.close(code, reason);
      // The second Close ends the wait for it; how long TCP then takes is a matter of the WebSocket.
      if (limit) clearTimeout(limit);
      else if (options.halfOpenLimitMs !== undefined) limit = setTimeout(abort, options.halfOpenLimitMs);
    },
    onDrain: () => void (frozen || to.resume()),
    onEnd(error) {
      if (error) clean = false;
      if (error) to.destroy();
      open -= 1;
      if (open > 0) return;
      clearTimeout(limit);
      finish(clean);
    },
  });
  a.start(side(a, b));
  b.start(side(b, a));
  const close = (code: number, reason: string) => {
    a.close(code, reason);
    b.close(code, reason);
  };
  const freeze = () => {
    frozen = true;
    a.pause();
    b.pause();
  };
  return { done, abort, close, freeze };
}
