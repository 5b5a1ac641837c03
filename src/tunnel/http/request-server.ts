/**
 * Serves the HTTP requests that the relay hands to one listener: reads each command, finds it a handler or an answer, and
 * reports it. Knows nothing of the control channel but that it can take a response; requests outlive it, as streams do.
 */
import {
  isInlineRequest,
  parseServiceMessage,
  type RequestCommand,
} from '../../protocol/control-messages.ts';
import { HcmError } from '../../protocol/errors.ts';
import { RENDEZVOUS_LIFETIME_MS } from '../../protocol/limits.ts';
import { sanitizeReason, stripGateway } from '../../protocol/tracking.ts';
import { asHcmError, type Emit } from '../emitter.ts';
import { rendezvousExpired } from '../rendezvous.ts';
import { Exchange, type ExchangeOptions, type ResponseChannel } from './exchange.ts';
import type { RelayedRequest } from './relayed-request.ts';
import type { RelayedResponse } from './relayed-response.ts';
import { readRequest, unreadableRequest, type RequestFacts } from './request-facts.ts';
import { RequestRendezvous, type RequestRendezvousOptions } from './request-rendezvous.ts';
import type { CancelSignal } from '../../websocket/cancel-signal.ts';

/** Requests go on coming while earlier ones leave the channel; a busy listener must come to an end all the same. */
const LEAVE_ROUNDS = 3;

/** Answers one request, as a handler of node:http does. What it throws ends that request alone. */
export type RequestHandler = (request: RelayedRequest, response: RelayedResponse) => void;

export interface RequestServerOptions {
  /** Undefined: requests are answered with 501. Asked for each request. */
  handler(): RequestHandler | undefined;
  /** Where the handler leads, as it stands in the event. */
  target?: string | undefined;
  /** The limit that is reached, if one is. Asked for each request. */
  busy(): HcmError | undefined;
  emit: Emit;
  rendezvous: Omit<RequestRendezvousOptions, 'signal'>;
}

/** What came with a command. */
type Came = Pick<ExchangeOptions, 'body' | 'channel' | 'rendezvous'> & { busy: HcmError | undefined };

export class RequestServer {
  readonly #options: RequestServerOptions;
  readonly #exchanges = new Set<Exchange>();
  /** What is under way: exchanges, and rendezvous that have not said yet what for. */
  readonly #pending = new Set<Promise<void>>();
  readonly #fetching = new Set<AbortController>();
  #cut: HcmError | undefined;

  constructor(options: RequestServerOptions) {
    this.#options = options;
  }

  /** Requests that are open now, and those that are being fetched. */
  get size(): number {
    return this.#pending.size;
  }

  /**
   * Takes a command from a control channel.
   * @param body what followed it; undefined where nothing was to follow, or something else came.
   */
  take(command: RequestCommand, body: Buffer | undefined, channel: ResponseChannel): void {
    // Asked before this request takes a place itself.
    const busy = this.#options.busy();
    const isInline = isInlineRequest(command);
    const serving = isInline
      ? this.#serve(command, { body, channel, busy }).done
      : this.#fetch(command, busy);
    const pending = serving.finally(() => this.#pending.delete(pending));
    this.#pending.add(pending);
  }

  /** True while a response would go over a control channel. */
  get needsChannel(): boolean {
    return this.#onChannel().length > 0;
  }

  /**
   * Before the control channel is closed: gives each request that still waits for its response a rendezvous, so that it
   * does not hang on the channel. Never rejects.
   */
  async leaveChannel(): Promise<void> {
    for (let round = 0; round < LEAVE_ROUNDS && this.needsChannel; round += 1)
      await Promise.all(this.#onChannel().map((exchange) => exchange.moveToRendezvous()));
  }

  /**
   * Resolves when nothing is open: by itself within `graceMs`, then cut off. Until `noMore` further commands may come.
   * May be called again with a shorter grace.
   */
  async drain(graceMs: number, noMore: Promise<unknown>): Promise<void> {
    const { clock } = this.#options.rendezvous;
    const cut = () => this.#cutOff(new HcmError('HCM_ABORTED', 'The listener was stopped'));
    const cancel = graceMs > 0 ? clock.setTimer(graceMs, cut) : () => undefined;
    if (graceMs <= 0) cut();
    await noMore;
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
    cancel();
  }

  #onChannel(): Exchange[] {
    return [...this.#exchanges].filter(({ needsChannel }) => needsChannel);
  }

  #cutOff(error: HcmError): void {
    this.#cut ??= error;
    for (const controller of this.#fetching) controller.abort(error);
    for (const exchange of this.#exchanges) exchange.abort(error);
  }

  /** The request waits at the address: it says there what it is. Never rejects. */
  async #fetch(command: RequestCommand, busy: HcmError | undefined): Promise<void> {
    const fetching = new AbortController();
    this.#fetching.add(fetching);
    if (this.#cut) fetching.abort(this.#cut);
    try {
      const rendezvous = await this.#open(command.address, fetching.signal);
      await this.#receive(command, { rendezvous, busy }, fetching.signal);
    } catch (error) {
      this.#reportUnread(command, asHcmError(error));
    } finally {
      this.#fetching.delete(fetching);
    }
  }

  /** Resolves when the request that came over the rendezvous is done with. Rejects when none came. */
  async #receive(
    command: RequestCommand,
    { rendezvous, busy }: { rendezvous: RequestRendezvous; busy: HcmError | undefined },
    signal: CancelSignal,
  ): Promise<void> {
    let served: { exchange: Exchange; done: Promise<void> } | undefined;
    const onAbort = () => rendezvous.destroy(signal.reason);
    const { clock } = this.#options.rendezvous;
    const cancel = clock.setTimer(RENDEZVOUS_LIFETIME_MS, () => rendezvous.destroy(rendezvousExpired()));
    signal.addEventListener('abort', onAbort, { once: true });
    rendezvous.start(
      {
        onBody: (bytes, last) => served?.exchange.onBody(bytes, last),
        onDrain: () => served?.exchange.onDrain(),
        onSecond: () => served?.exchange.onSecond(),
        onLost: (error) => served?.exchange.onLost(error),
      },
      (text) => {
        cancel();
        const message = parseServiceMessage(text);
        if (message.kind !== 'request')
          throw invalid(message.kind === 'malformed' ? message.reason : 'another message came in its place');
        const body = message.body === true ? 'stream' : undefined;
        served = this.#serve({ ...command, ...message }, { body, rendezvous, busy });
        return body !== undefined;
      },
    );
    const lost = await rendezvous.over;
    cancel();
    signal.removeEventListener('abort', onAbort);
    if (served) await served.done;
    else throw lost ?? invalid('it never came');
  }

  #serve(command: RequestCommand, came: Came): { exchange: Exchange; done: Promise<void> } {
    const { clock } = this.#options.rendezvous;
    const { facts, error } = this.#read(command, came.body);
    const { busy, ...carriers } = came;
    const exchange = new Exchange({
      ...carriers,
      facts,
      id: idOf(command),
      entity: this.#options.rendezvous.connection.path,
      open: (signal) => this.#open(command.address, signal),
      clock,
    });
    this.#exchanges.add(exchange);
    const done = this.#report(exchange, clock.monotonicMs());
    const refused = busy ?? error;
    if (this.#cut) exchange.abort(this.#cut);
    else if (refused) exchange.response.destroy(refused);
    else this.#handle(exchange);
    return { exchange, done };
  }

  #read(command: RequestCommand, body: Came['body']): { facts: RequestFacts; error?: HcmError } {
    try {
      if (command.body === true && body === undefined) throw invalid('its body did not follow');
      return { facts: readRequest(command, body) };
    } catch (error) {
      return { facts: unreadableRequest(command), error: asHcmError(error) };
    }
  }

  #handle({ request, response }: Exchange): void {
    const handler = this.#options.handler();
    if (!handler) {
      const text = 'this listener has no HTTP target';
      response.destroy(new HcmError('HCM_HTTP_UNSERVED', text));
      return;
    }
    const fail = (error: unknown) =>
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    try {
      // An async function is a handler too; its rejection must not end the program.
      Promise.resolve(handler(request, response) as unknown).catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  async #report(exchange: Exchange, startedMs: number): Promise<void> {
    const { emit, target, rendezvous } = this.#options;
    const { id, method, url, remote } = exchange.request;
    const outcome = await exchange.over;
    this.#exchanges.delete(exchange);
    emit({
      event: 'request',
      stream: stripGateway(id),
      method,
      path: pathOf(url),
      ...outcome,
      durationMs: Math.round(rendezvous.clock.monotonicMs() - startedMs),
      target,
      remote: remote && `${remote.address}:${remote.port}`,
    });
  }

  /** A request that never said what it was. */
  #reportUnread(command: RequestCommand, error: HcmError): void {
    const stream = stripGateway(idOf(command));
    this.#options.emit({ event: 'request', stream, bytesIn: 0, bytesOut: 0, durationMs: 0, error });
  }

  #open(address: string, signal: CancelSignal): Promise<RequestRendezvous> {
    return RequestRendezvous.open(address, { ...this.#options.rendezvous, signal });
  }
}

/** The id that the response must name. The relay's addresses carry the same. */
function idOf({ id, address }: RequestCommand): string {
  if (id !== undefined) return id;
  return (URL.canParse(address) && new URL(address).searchParams.get('sb-hc-id')) || '';
}

function pathOf(url: string): string {
  return sanitizeReason(url.replace(/\?.*$/s, ''));
}

function invalid(what: string): HcmError {
  return new HcmError('HCM_REQUEST_INVALID', `The relay handed over a request that is not served: ${what}`);
}
