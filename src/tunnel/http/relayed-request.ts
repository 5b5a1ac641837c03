/**
 * A request that came through the relay, as a handler sees it: what of node:http's IncomingMessage handlers use, without
 * the socket that there is not. Its owner is the exchange, which feeds it.
 */
import { Readable } from 'node:stream';
import type { RemoteEndpoint } from '../../protocol/control-messages.ts';
import type { RequestFacts } from './request-facts.ts';

function ignore(): void {}

export interface RelayedRequestEvents {
  /** The reader has room again. */
  onRead(): void;
}

export class RelayedRequest extends Readable {
  /** The relay's id of the request, as it stands in events. */
  readonly id: string;
  readonly method: string;
  /** Path and query as the relay gave them: the connection's name comes first. */
  url: string;
  /** The connection's name: the first segments of `url`. */
  readonly entity: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly rawHeaders: readonly string[];
  /** The sender, as the relay saw it. */
  readonly remote: RemoteEndpoint | undefined;
  /** For handlers that look for the client there. No socket. */
  readonly socket: { remoteAddress?: string; remotePort?: number; encrypted: true };
  readonly httpVersion = '1.1';
  /** True when all of the body has arrived. */
  complete = false;
  /** True when the sender left, or the relay gave up, before the response was complete. */
  aborted = false;
  readonly #onRead: () => void;

  constructor(facts: RequestFacts, context: { id: string; entity: string }, events: RelayedRequestEvents) {
    super({ autoDestroy: true });
    const { method, url, headers, rawHeaders, remote } = facts;
    this.id = context.id;
    this.entity = context.entity;
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.rawHeaders = rawHeaders;
    this.remote = remote;
    this.socket = {
      ...(remote && { remoteAddress: remote.address, remotePort: remote.port }),
      encrypted: true,
    };
    this.#onRead = () => events.onRead();
    // A handler need not listen for errors: that the sender left must not end the program.
    this.on('error', ignore);
  }

  override _read(): void {
    this.#onRead();
  }

  /** For the owner: the sender is gone, or nobody waits for the response any more. */
  abort(error: Error): void {
    if (this.aborted) return;
    this.aborted = true;
    this.emit('aborted');
    this.destroy(error);
  }
}
