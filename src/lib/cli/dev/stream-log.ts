/** The last streams of a tunnel, as its events told them: for the sample page. */
import type { TunnelEvent } from '../../../tunnel/events.ts';

const KEPT = 8;

export interface LoggedStream {
  readonly stream: string;
  readonly setupMs: number;
  bytesIn?: number;
  bytesOut?: number;
}

export class StreamLog {
  /** Newest first. */
  readonly streams: LoggedStream[] = [];
  /** Of all streams that ended. */
  bytesIn = 0;
  bytesOut = 0;
  count = 0;

  note(event: TunnelEvent): void {
    if (event.event === 'opened') {
      this.count += 1;
      this.streams.unshift({ stream: event.stream, setupMs: event.setupMs });
      this.streams.splice(KEPT);
    } else if (event.event === 'closed') {
      this.bytesIn += event.bytesIn;
      this.bytesOut += event.bytesOut;
      const known = this.streams.find(({ stream }) => stream === event.stream);
      if (known) Object.assign(known, { bytesIn: event.bytesIn, bytesOut: event.bytesOut });
    }
  }
}
