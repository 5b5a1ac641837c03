/** An HTTP request as the emulator's routes see it: host and path read the way the relay reads them. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RemoteEndpoint } from '../../protocol/control-messages.ts';
import { relayAnswer, type RelayCondition } from '../../protocol/relay-answers.ts';
import { parseRelayRequest, type RelayRequestTarget } from '../../protocol/request-target.ts';
import { reasonPhrase, trackingId } from '../../protocol/tracking.ts';
import { headerValues } from '../../websocket/http-head.ts';
import type { RelayContext } from '../relay/context.ts';
import { askedHost, remoteOf, type AskedHost } from '../relay/handshake.ts';

export class HttpRequest {
  readonly message: IncomingMessage;
  readonly target: RelayRequestTarget;
  readonly asked: AskedHost;
  readonly remote: RemoteEndpoint;
  readonly trackingId: string;
  /** The client sends its body after a 100 (Expect), perhaps before. */
  #awaitsContinue: boolean;

  constructor(message: IncomingMessage, awaitsContinue = false) {
    this.message = message;
    this.target = parseRelayRequest(message.url ?? '/');
    this.asked = askedHost(message.headers.host, () => message.socket.localPort);
    this.remote = remoteOf(message.socket);
    this.trackingId = trackingId(this.target.id ?? randomUUID(), 0);
    this.#awaitsContinue = awaitsContinue;
  }

  /** Decoded, without a slash in front. */
  get path(): string {
    return this.target.path;
  }

  header(name: string): string | undefined {
    const value = this.message.headers[name.toLowerCase()];
    return Array.isArray(value) ? value[0] : value;
  }

  get from(): string {
    return `${this.remote.address}:${this.remote.port}`;
  }

  /** What two readers of the same bytes could understand in two ways, and node:http lets through. */
  get isAmbiguous(): boolean {
    const { rawHeaders, httpVersion, headers } = this.message;
    const hosts = headerValues(rawHeaders, 'Host');
    if (hosts.length > 1 || /[\s/\\?#@,]/.test(hosts[0] ?? '')) return true;
    if (httpVersion !== '1.1' && httpVersion !== '1.0') return true;
    // The parser of Node 20.19 takes a header without a name.
    if (rawHeaders.some((text, at) => at % 2 === 0 && text === '')) return true;
    // RFC 9112, 6.1: HTTP/1.0 has no encodings; and of those of 1.1, chunks are all that is understood here.
    const encoding = headers['transfer-encoding']?.toLowerCase();
    return encoding !== undefined && (httpVersion === '1.0' || encoding !== 'chunked');
  }

  /** The body is wanted: a client that waits for a 100 gets it, once. */
  askForBody(response: ServerResponse): void {
    if (this.#awaitsContinue) response.writeContinue();
    this.#awaitsContinue = false;
  }

  /**
   * Before the head of an answer. Whether a client that got no 100 sends its body all the same nobody knows: what comes
   * next on the connection could be either, so it ends.
   */
  settleBody(response: ServerResponse): void {
    if (this.#awaitsContinue) response.setHeader('Connection', 'close');
  }

  /** The relay's explanation of a condition, for this request. */
  reason(context: RelayContext, condition: RelayCondition, detail?: string): string {
    const { sentence } = relayAnswer(condition);
    const { trackingId, asked, path } = this;
    const said = detail === undefined ? sentence : `${sentence.replace(/\.$/, '')}: ${detail}`;
    return reasonPhrase({ sentence: said, trackingId, host: asked.host, path, now: context.nowMs() });
  }
}
