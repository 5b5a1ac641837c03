/** Watches the events of a foreground `forward`: how many streams are open, and a first attempt that was refused. */
import type { HcmError } from '../../protocol/errors.ts';
import type { TunnelEvent, TunnelEventHandler } from '../../tunnel/events.ts';
import { ERROR_TABLE, EXIT } from '../error-table.ts';

/** Answers that waiting does not mend: no right, and no such entity. "No listener yet" is not among them. */
const FINAL_STATUSES: ReadonlySet<number> = new Set([EXIT.forbidden, EXIT.resource]);

export class ForwardWatch {
  /** Rejects with the error when the first answer of the relay was final; never resolves. */
  readonly refused: Promise<never>;
  /** Those that are still being set up, too. */
  openStreams = 0;
  #refuse: (error: HcmError) => void = () => undefined;

  constructor() {
    this.refused = new Promise((_, reject) => (this.#refuse = reject));
    // It may come while nobody waits yet.
    this.refused.catch(() => undefined);
  }

  /** A handler for one connection: each has a first attempt of its own. */
  handler(next: TunnelEventHandler, keepTrying: boolean): TunnelEventHandler {
    let answered = keepTrying;
    return (event) => {
      next(event);
      if (event.event === 'opening') this.openStreams += 1;
      if (isOver(event)) this.openStreams -= 1;
      if (answered) return;
      // A request over HTTP that nobody refused was answered; unless nothing came at all.
      if (event.event === 'opened' || (event.event === 'request' && event.status !== undefined))
        answered = true;
      else if (event.event === 'refused') {
        const status = ERROR_TABLE[event.error.code].exitStatus;
        if (FINAL_STATUSES.has(status)) this.#refuse(event.error);
        // Only an answer of the relay counts; a network that is not up yet is none.
        answered = typeof event.error.details['status'] === 'number';
      }
    };
  }
}

function isOver({ event }: TunnelEvent): boolean {
  return event === 'closed' || event === 'refused' || event === 'request';
}
