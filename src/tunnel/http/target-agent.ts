/**
 * The connections to one HTTP target: dialed by the target dialer, so that allow-list, limits and error codes are those of
 * streams, with TLS where the target wants it, and kept for the next request. Parsing and pooling are node:http's own.
 */
import { Agent, type ClientRequestArgs } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import type { AllowRule } from '../../protocol/allow-list.ts';
import { HcmError } from '../../protocol/errors.ts';
import { formatTargetAddress, type HttpTargetAddress } from '../../protocol/target-address.ts';
import type { Clock } from '../clock.ts';
import { nodeCode, withDeadline } from '../network-errors.ts';
import { writeProxyHeader, type ProxiedClient } from '../proxy-header.ts';
import { DIAL_TIMEOUT_MS, dialTarget } from '../target-dialer.ts';
import type { CancelSignal } from '../../websocket/cancel-signal.ts';

/** Below the 5 s after which node:http servers close an idle connection, the shortest of the usual servers. */
const IDLE_MS = 4_000;
const IDLE_MAX = 64;

export interface TargetAgentOptions {
  clock: Clock;
  /** Undefined: the target may be dialed wherever its name leads. */
  allow?: readonly AllowRule[] | undefined;
  /** For name resolution, TCP and TLS together, in ms. */
  dialTimeoutMs?: number | undefined;
  /** Says in front of each connection who the sender is: then none serves two requests. */
  proxyProtocol?: 'v2' | undefined;
  /** False: each request has a connection of its own. Default true. */
  reuse?: boolean | undefined;
  /** Private CAs (PEM) for https, beside the system's. */
  ca?: readonly string[] | undefined;
}

/** What the options of a request carry for its connection. */
export interface AgentRequest extends ClientRequestArgs {
  client?: ProxiedClient;
}

function ignore(): void {}

export class TargetAgent extends Agent {
  readonly #address: HttpTargetAddress;
  readonly #options: TargetAgentOptions;
  readonly #closing = new AbortController();
  #context: SecureContext | undefined;

  constructor(address: HttpTargetAddress, options: TargetAgentOptions) {
    super({
      keepAlive: options.proxyProtocol === undefined,
      timeout: IDLE_MS,
      maxFreeSockets: IDLE_MAX,
      scheduling: 'lifo',
    });
    this.#address = address;
    this.#options = options;
  }

  /** Called by node:http. Errors are HcmError, and become the request's. */
  override createConnection(
    { client }: AgentRequest,
    done?: (error: Error | null, socket: Socket) => void,
  ): undefined {
    const none = undefined as unknown as Socket;
    this.#dial(client).then(
      (socket) => done?.(null, socket),
      (error: Error) => done?.(error, none),
    );
  }

  /**
   * Asked by node:http before a connection goes to the pool. What serves one request is closed here: a target that was told
   * to close it might do so with the body unread, and the reset would take an early answer along.
   */
  override keepSocketAlive(socket: Duplex): boolean {
    // Its type says void; its documentation and its caller say boolean.
    return this.#options.reuse !== false && (super.keepSocketAlive(socket) as unknown as boolean);
  }

  /** Ends all connections, those that are being dialed too. */
  override destroy(): void {
    this.#closing.abort(new HcmError('HCM_ABORTED', 'The listener was stopped'));
    super.destroy();
  }

  #dial(client: ProxiedClient | undefined): Promise<Socket> {
    const { clock, allow, dialTimeoutMs: limitMs = DIAL_TIMEOUT_MS, proxyProtocol } = this.#options;
    const name = formatTargetAddress(this.#address);
    const late = () => this.#error('HCM_TARGET_TIMEOUT', `${name} did not answer within ${limitMs / 1000} s`);
    return withDeadline({ clock, limitMs, late, signal: this.#closing.signal }, async (signal) => {
      const { host, port, secure } = this.#address;
      const socket = await dialTarget({ host, port }, { clock, allow, timeoutMs: limitMs, signal });
      // The dialer's sockets stay open when the peer ends; here that means that the connection is used up.
      socket.allowHalfOpen = false;
      // A connection in the pool has no reader for an error; its 'close' takes it out.
      socket.on('error', ignore);
      if (proxyProtocol && client) writeProxyHeader(socket, client);
      if (secure) return this.#secure(socket, signal);
      // The dialer paused it, and node:http does not resume what somebody paused.
      return socket.resume();
    });
  }

  #secure(socket: Socket, signal: CancelSignal): Promise<Socket> {
    const { host } = this.#address;
    const tls = connectTls({
      socket,
      ...(isIP(host) ? { host } : { servername: host }),
      secureContext: (this.#context ??= this.#createContext()),
      ALPNProtocols: ['http/1.1'],
    });
    tls.on('error', ignore);
    return new Promise((resolve, reject) => {
      const settle = () => {
        signal.removeEventListener('abort', onAbort);
        tls.off('error', onError).off('close', onClose);
      };
      const fail = (error: Error) => {
        settle();
        tls.destroy();
        socket.destroy();
        reject(error);
      };
      const onAbort = () => fail(signal.reason);
      const onError = (error: Error) => {
        const why = nodeCode(error) || error.message;
        fail(
          this.#error(
            'HCM_TARGET_UNREACHABLE',
            `TLS with ${formatTargetAddress(this.#address)} failed (${why})`,
          ),
        );
      };
      const onClose = () => onError(new Error('the connection was closed'));
      signal.addEventListener('abort', onAbort, { once: true });
      tls.once('error', onError).once('close', onClose);
      tls.once('secureConnect', () => {
        settle();
        resolve(tls);
      });
    });
  }

  #createContext(): SecureContext {
    const { ca = [] } = this.#options;
    // Without CAs of its own Node's store, with NODE_EXTRA_CA_CERTS, stays in place.
    return createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca.length > 0 ? { ca: [...rootCertificates, ...ca] } : {}),
    });
  }

  #error(code: 'HCM_TARGET_TIMEOUT' | 'HCM_TARGET_UNREACHABLE', text: string): HcmError {
    const details = { target: formatTargetAddress(this.#address) };
    return new HcmError(code, text, { retryable: true, details });
  }
}
