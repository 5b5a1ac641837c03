/** A fake relay with one listener that is online: the test sends request messages and reads what comes back. */
import type { RequestCommand } from '../../../../src/protocol/control-messages.ts';
import { systemClock } from '../../../../src/tunnel/clock.ts';
import { HybridConnectionListener } from '../../../../src/tunnel/listener.ts';
import type { ListenerOptions } from '../../../../src/tunnel/options.ts';
import { FakeRelay, type Peer, type PeerMessage } from '../../../helpers/fake-relay.ts';
import { EventLog, connectionTo } from '../../../helpers/tunnel.ts';
import { until } from '../../../helpers/until.ts';

const TEXT = 1;

export interface SeenResponse {
  requestId: string;
  statusCode: number;
  statusDescription?: string;
  responseHeaders: Record<string, string>;
  body: boolean;
  /** What came in the binary message behind it. */
  bytes: Buffer | undefined;
  frames: number | undefined;
}

export class HttpRelay {
  readonly relay: FakeRelay;
  readonly listener: HybridConnectionListener;
  readonly log: EventLog;
  /** The relay's end of the control channel. */
  channel!: Peer;

  static async start(options: ListenerOptions = {}): Promise<HttpRelay> {
    const relay = await FakeRelay.start();
    const log = new EventLog();
    const clock = options.clock ?? systemClock;
    const listener = new HybridConnectionListener(connectionTo(relay.endpoint, clock), {
      target: { host: '127.0.0.1', port: 9 },
      insecureLoopback: true,
      keepAlive: 'off',
      onEvent: log.record,
      ...options,
    });
    const bed = new HttpRelay(relay, listener, log);
    listener.start();
    bed.channel = (await relay.next('listen')).accept();
    await listener.online();
    return bed;
  }

  private constructor(relay: FakeRelay, listener: HybridConnectionListener, log: EventLog) {
    this.relay = relay;
    this.listener = listener;
    this.log = log;
  }

  /** The rendezvous address of a request. */
  address(id: string): string {
    const { host, port } = this.relay.endpoint;
    return `wss://${host}:${port}/$hc/team/hyco-1?sb-hc-action=request&sb-hc-id=${id}`;
  }

  command(id: string, fields: Partial<RequestCommand> = {}): RequestCommand {
    return {
      address: this.address(id),
      id,
      requestTarget: '/team/hyco-1/page?x=1',
      method: 'GET',
      remoteEndpoint: { address: '203.0.113.9', port: 62_917 },
      requestHeaders: { Host: 'relay.example', Via: '1.1 relay.example' },
      body: false,
      ...fields,
    };
  }

  /** Over the control channel, with its body behind it. */
  request(id: string, fields: Partial<RequestCommand> = {}, body?: Buffer | string): void {
    const command = this.command(id, {
      ...(body === undefined ? {} : { method: 'POST', body: true }),
      ...fields,
    });
    // One write: two would wait for each other's acknowledgement.
    this.channel.webSocket.cork();
    this.send(this.channel, { request: command });
    if (body !== undefined) this.channel.webSocket.send(Buffer.from(body));
    this.channel.webSocket.uncork();
  }

  /** Says only where the request waits; resolves with the listener's WebSocket there, the request sent over it. */
  async requestByAddress(id: string, fields: Partial<RequestCommand> = {}): Promise<Peer> {
    this.send(this.channel, { request: { address: this.address(id) } });
    const peer = await this.rendezvous();
    this.send(peer, { request: this.command(id, fields) });
    return peer;
  }

  /** The next request rendezvous that the listener opens. */
  async rendezvous(): Promise<Peer> {
    return (await this.relay.next('request')).accept();
  }

  send(peer: Peer, message: object): void {
    peer.webSocket.send(Buffer.from(JSON.stringify(message)), TEXT);
  }

  /** The response to a request, with its body when it announces one. */
  async response(id: string, from: Peer = this.channel): Promise<SeenResponse> {
    await until(() => responseIn(from.messages, id) !== undefined, `the response to ${id}`);
    return responseIn(from.messages, id) as SeenResponse;
  }

  /** Answers the listener's Close, as the relay does behind a response. */
  async closed(peer: Peer): Promise<void> {
    await until(() => peer.closed !== undefined, "the listener's Close");
    peer.webSocket.close(1000, 'Normal Closure');
    await until(() => peer.over !== undefined);
  }

  async stop(): Promise<void> {
    await this.listener.stop({ graceMs: 0 });
    await this.relay.stop();
  }
}

function responseIn(messages: readonly PeerMessage[], id: string): SeenResponse | undefined {
  for (const [index, { kind, bytes }] of messages.entries()) {
    if (kind !== 'text') continue;
    const { response } = JSON.parse(bytes.toString()) as { response?: SeenResponse };
    if (response?.requestId !== id) continue;
    const next = messages[index + 1];
    if (!response.body) return { ...response, bytes: undefined, frames: undefined };
    return next && { ...response, bytes: next.bytes, frames: next.frames };
  }
  return undefined;
}
