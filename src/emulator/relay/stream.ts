/** A stream between a sender and a listener: the join of their two rendezvous, and what may happen to it from outside. */
import type { WebSocket } from '../../websocket/websocket.ts';
import type { RelayContext, RelayEntity } from './context.ts';
import { join, type Join } from './join.ts';

export class Stream {
  readonly entity: RelayEntity;
  readonly #join: Join;

  /** Takes both WebSockets over; neither may have been started. Is in `context.streams` until it ends. */
  constructor(
    context: RelayContext,
    entity: RelayEntity,
    id: string,
    sender: WebSocket,
    listener: WebSocket,
  ) {
    this.entity = entity;
    context.streams.add(this);
    this.#join = join(sender, listener, {
      halfOpenLimitMs: context.behaviour.halfOpenLimitMs,
      onBytes: cutter(context.faults.cutStreamAfterBytes, () => this.abort()),
    });
    void this.#join.done.then((clean) => {
      context.streams.delete(this);
      context.emit({ event: 'closed', connection: entity.name, id, clean });
    });
  }

  close(code: number, reason: string): void {
    this.#join.close(code, reason);
  }

  abort(): void {
    this.#join.abort();
  }

  freeze(): void {
    this.#join.freeze();
  }
}

/** Without the fault no function is called for each fragment. */
function cutter(limitBytes: number | undefined, cut: () => void): ((bytes: number) => void) | undefined {
  if (limitBytes === undefined) return undefined;
  let passed = 0;
  return (bytes) => {
    passed += bytes;
    if (passed >= limitBytes) cut();
  };
}
