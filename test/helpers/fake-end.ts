/** A ByteEnd under a test's control: it writes down what the forwarder does, and delivers what the test says. */
import type { ByteEnd, ByteEndEvents } from '../../src/tunnel/byte-end.ts';
import type { Hold } from '../../src/websocket/socket-reader.ts';

export class FakeEnd implements ByteEnd {
  /** What was called, in order: `write <text>`, `end`, `reset <message>`, `pause`, `resume`. */
  readonly calls: string[] = [];
  /** What `write` answers. */
  hasRoom = true;
  lastHold: Hold | undefined;
  #events: ByteEndEvents | undefined;

  get events(): ByteEndEvents {
    if (!this.#events) throw new Error('the end was not started');
    return this.#events;
  }
  start(events: ByteEndEvents): void {
    if (this.#events) throw new Error('the end was started twice');
    this.#events = events;
  }
  write(chunks: readonly Buffer[], hold?: Hold): boolean {
    this.lastHold = hold;
    this.calls.push(`write ${Buffer.concat(chunks).toString()}`);
    return this.hasRoom;
  }
  end(): void {
    this.calls.push('end');
  }
  reset(error: Error): void {
    this.calls.push(`reset ${error.message}`);
  }
  pause(): void {
    this.calls.push('pause');
  }
  resume(): void {
    this.calls.push('resume');
  }
}
