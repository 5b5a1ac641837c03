/** The pool of connections to the relay: dialed as all of the tunnel's are, kept open for the next request. */
import { Agent, type ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Endpoint } from '../../protocol/addresses.ts';
import { HcmError } from '../../protocol/errors.ts';
import type { RelayDialer } from '../relay-dialer.ts';

/** Far below what front ends keep (http.sys: 120 s), so that seldom one is closed just when it is used again. */
const POOL_IDLE_MS = 15_000;
/** What is kept after a burst; how many are open at a time has no limit, as a stream of events holds one for long. */
const POOL_MAX_IDLE = 32;

type OnSocket = (error: Error | null, socket: Duplex) => void;

export class RelayAgent extends Agent {
  readonly #dialer: RelayDialer;
  readonly #endpoint: Endpoint;
  readonly #stopping = new AbortController();

  constructor(dialer: RelayDialer, endpoint: Endpoint) {
    super({ keepAlive: true, timeout: POOL_IDLE_MS, maxFreeSockets: POOL_MAX_IDLE });
    this.#dialer = dialer;
    this.#endpoint = endpoint;
  }

  override createConnection(_options: ClientRequestArgs, onSocket?: OnSocket): undefined {
    const { host, port } = this.#endpoint;
    this.#dialer.dial(host, port, this.#stopping.signal).then(
      (socket) => {
        // A connection that waits in the pool must be gone when its other end is.
        socket.allowHalfOpen = false;
        onSocket?.(null, socket);
      },
      (error: Error) => onSocket?.(error, undefined as unknown as Duplex),
    );
  }

  override destroy(): void {
    this.#stopping.abort(new HcmError('HCM_ABORTED', 'The tunnel was stopped'));
    super.destroy();
  }
}
