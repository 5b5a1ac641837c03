/**
 * A sender whose handshake is held until a listener accepts or rejects it, the time is over, or it goes away. One of
 * these happens, once. Its address is good as long as it is held.
 */
import { CONTROL_MESSAGE_MAX_BYTES } from '../../protocol/limits.ts';
import { formatAccept } from '../../protocol/control-messages.ts';
import { connectHeadersOf, type ListenerChoice } from '../../protocol/headers.ts';
import { WebSocket } from '../../websocket/websocket.ts';
import { pooledRandom } from '../../websocket/random-pool.ts';
import { refuse, type RelayContext, type RelayEntity } from './context.ts';
import type { ControlChannel } from './control-channel.ts';
import type { Handshake } from './handshake.ts';
import { rendezvousAddress } from './rendezvous-address.ts';
import { Stream } from './stream.ts';

/** What a sender may send before it has its answer. Nobody needs it; the bound is for those who try. */
const EARLY_MAX_BYTES = 64 * 1024;

export class HeldSender {
  readonly entity: RelayEntity;
  /** The secret in the address: the sender's id, and 128 bits that it cannot know. */
  readonly secretId: string;

  readonly #context: RelayContext;
  readonly #handshake: Handshake;
  readonly #choice: ListenerChoice;
  readonly #cancelDeadline: () => void;
  readonly #early: Buffer[] = [];
  #earlyBytes = 0;
  #listener: ControlChannel | undefined;
  #held = true;

  constructor(context: RelayContext, handshake: Handshake, entity: RelayEntity, choice: ListenerChoice) {
    this.entity = entity;
    this.secretId = `${handshake.trackingId}_${pooledRandom(16).toString('hex')}`;
    this.#context = context;
    this.#handshake = handshake;
    this.#choice = choice;
    context.held.set(this.secretId, this);
    this.#cancelDeadline = context.timers.set(context.behaviour.rendezvousLifeMs, () =>
      this.#refuse('listener-timeout'),
    );
    const { socket } = handshake;
    socket.on('data', this.#onEarly).once('end', this.#onGone).once('close', this.#onGone);
    socket.resume();
  }

  /** Tells a listener, or another one when the first has left; without one the sender is refused. */
  offer(): void {
    this.#listener?.offered.delete(this);
    if (!this.#held) return;
    const { registry } = this.#context;
    const listener = registry.choose(this.entity, this.#choice);
    this.#listener = listener;
    if (listener === undefined) {
      return this.#refuse(this.entity.listeners.length > 0 ? 'listener-filter' : 'no-listener');
    }
    const message = this.#message(listener);
    if (Buffer.byteLength(message) > CONTROL_MESSAGE_MAX_BYTES) return this.#refuse('headers-too-large');
    listener.offered.add(this);
    listener.send(message);
  }

  /** Both get their 101, the listener first; from then on the two are one stream. */
  accept(rendezvous: Handshake, protocol: string | undefined): void {
    this.#release();
    const now = this.#context.nowMs();
    const sender = this.#handshake;
    rendezvous.accept(now, protocol);
    sender.accept(now, protocol);
    const { name } = this.entity;
    this.#context.emit({ event: 'accept', connection: name, id: sender.trackingId, protocol });
    const head = Buffer.concat([sender.rest, ...this.#early]);
    new Stream(
      this.#context,
      this.entity,
      sender.trackingId,
      new WebSocket(sender.socket, { role: 'server', head }),
      new WebSocket(rendezvous.socket, { role: 'server', head: rendezvous.rest }),
    );
  }

  /** The sender gets the listener's status and words. */
  reject(status: number, reason: string): void {
    this.#release();
    this.#handshake.refuse(this.#context.nowMs(), status, reason);
    const id = this.#handshake.trackingId;
    this.#context.emit({ event: 'reject', connection: this.entity.name, id, status, reason });
  }

  /** Leaves the sender without an answer for ever; its socket stays open. */
  forget(): void {
    this.#release();
  }

  #message({ asked }: ControlChannel): string {
    const { target, rawHeaders, remote } = this.#handshake;
    const { addressScheme } = this.#context.behaviour;
    const id = this.secretId;
    return formatAccept({
      address: rendezvousAddress(addressScheme, asked, target, 'accept', id),
      id,
      connectHeaders: connectHeadersOf(rawHeaders),
      remoteEndpoint: remote,
    });
  }

  #refuse(condition: Parameters<typeof refuse>[3]): void {
    this.#release();
    refuse(this.#context, this.#handshake, 'connect', condition);
  }

  /** Ends the holding: nobody can accept any more, and the socket is whoever's who goes on with it. */
  #release(): void {
    this.#held = false;
    this.#cancelDeadline();
    this.#listener?.offered.delete(this);
    this.#context.held.delete(this.secretId);
    const { socket } = this.#handshake;
    socket.off('data', this.#onEarly).off('end', this.#onGone).off('close', this.#onGone);
    socket.pause();
  }

  readonly #onEarly = (bytes: Buffer): void => {
    this.#early.push(bytes);
    this.#earlyBytes += bytes.length;
    if (this.#earlyBytes > EARLY_MAX_BYTES) this.#handshake.socket.pause();
  };

  readonly #onGone = (): void => {
    this.#release();
    this.#handshake.socket.destroy();
    const id = this.#handshake.trackingId;
    this.#context.emit({ event: 'abandoned', connection: this.entity.name, id });
  };
}
