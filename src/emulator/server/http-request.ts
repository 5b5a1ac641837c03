/** An HTTP request as the emulator's routes see it: host and path read the way the relay reads them. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { relayAnswer, type RelayCondition } from '../../protocol/relay-answers.ts';
import { parseRelayRequest, type RelayRequestTarget } from '../../protocol/request-target.ts';
import { reasonPhrase, trackingId } from '../../protocol/tracking.ts';
import type { RelayContext } from '../relay/context.ts';
import { askedHost, type AskedHost } from '../relay/handshake.ts';

export class HttpRequest {
  readonly message: IncomingMessage;
  readonly target: RelayRequestTarget;
  readonly asked: AskedHost;
  readonly trackingId: string;

  constructor(message: IncomingMessage) {
    this.message = message;
    this.target = parseRelayRequest(message.url ?? '/');
    this.asked = askedHost(message.headers.host, message.socket.localPort ?? 0);
    this.trackingId = trackingId(this.target.id ?? randomUUID(), 0);
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
    const { remoteAddress = '', remotePort = 0 } = this.message.socket;
    return `${remoteAddress.replace(/^::ffff:/i, '')}:${remotePort}`;
  }

  /** The relay's explanation of a condition, for this request. */
  reason(context: RelayContext, condition: RelayCondition): string {
    const { sentence } = relayAnswer(condition);
    const { trackingId, asked, path } = this;
    return reasonPhrase({ sentence, trackingId, host: asked.host, path, now: context.nowMs() });
  }
}
