/**
 * Misbehaviour on purpose: everything a network and a cloud do to a client, for tests of clients. Settings hold from
 * the moment they are changed until they are changed back; methods act once, on what is connected now.
 */
import { ArmFaults, type ArmFaultSettings } from './arm-faults.ts';
import { EntraFaults } from './entra-faults.ts';

/** The handshakes of WebSockets. `request` is the rendezvous for an HTTP request. */
export type HandshakeAction = 'listen' | 'connect' | 'accept' | 'request';
/** What can be held back and refused; `http` is a sender's HTTP request. */
export type FaultAction = HandshakeAction | 'http';

export interface FaultSettings {
  /** Holds handshakes and requests back, in ms by action; Infinity: for ever (the client must have a limit of its own). */
  stallMs?: Partial<Record<FaultAction, number>> | undefined;
  /** Every renewToken fails: the control channel is closed with 1008. */
  refuseRenewals?: boolean | undefined;
  /** Streams and rendezvous of HTTP that begin from now on are cut, without a Close, by the fragment that takes them to so many bytes. */
  cutStreamAfterBytes?: number | undefined;
  /** Between the listener's rendezvous request and its answer, in ms: a slow gateway. */
  rendezvousDelayMs?: number | undefined;
  /** The relay's clock is so far ahead (negative: behind), in ms: Date headers, timestamps, expiry of tokens. */
  clockOffsetMs?: number | undefined;
  arm?: ArmFaultSettings | undefined;
}

export interface Refusal {
  readonly action: FaultAction;
  readonly status: number;
  /** Reason phrase; default a sentence that says it is a fault. */
  readonly reason?: string;
  /** How many requests; default all until it is taken back. */
  readonly times?: number;
}

/** What the methods act on; the relay and the server provide it. Each answers how many it hit. */
export interface FaultTargets {
  dropControlChannels(close: { code: number; reason: string } | undefined): number;
  closeStreams(code: number, reason: string): number;
  abortStreams(): number;
  /** Stops reading from and answering to all that is connected. */
  freeze(): void;
  /** Cuts all TCP connections, with RST where the platform can. */
  resetConnections(): number;
}

export class Faults implements Omit<FaultSettings, 'arm'> {
  /** Of Resource Manager. */
  readonly arm: ArmFaults;
  /** Of the sign-in. */
  readonly entra = new EntraFaults();
  stallMs: Partial<Record<FaultAction, number>> = {};
  refuseRenewals = false;
  cutStreamAfterBytes: number | undefined;
  rendezvousDelayMs = 0;
  clockOffsetMs = 0;

  readonly #targets: FaultTargets;
  readonly #refusals: { refusal: Refusal; left: number }[] = [];
  #blackHoled = false;

  constructor(targets: FaultTargets, { arm, ...settings }: FaultSettings = {}) {
    this.#targets = targets;
    this.arm = new ArmFaults(arm);
    const given = Object.entries(settings).filter(([, value]) => value !== undefined);
    Object.assign(this, Object.fromEntries(given));
  }

  /** Answers an action with a status instead of serving it, before any check. Returns how to take it back. */
  refuse(refusal: Refusal): () => void {
    const entry = { refusal, left: refusal.times ?? Infinity };
    this.#refusals.push(entry);
    return () => (entry.left = 0);
  }

  /** Ends all control channels: with a Close of this code, or, without one, as a lost connection. */
  dropControlChannels(close?: { code: number; reason?: string }): number {
    return this.#targets.dropControlChannels(close && { code: close.code, reason: close.reason ?? '' });
  }

  /** Closes all streams in both directions with this code. */
  closeStreams(code: number, reason = ''): number {
    return this.#targets.closeStreams(code, reason);
  }

  /** Cuts all streams without a Close. */
  abortStreams(): number {
    return this.#targets.abortStreams();
  }

  /**
   * Whatever is connected stays connected, but nothing is read or answered any more; new connections are taken and
   * left lying (not even TLS). A peer finds out only by its keep-alive. `clear` lets in new ones again; what was
   * frozen stays so.
   */
  blackHole(): void {
    this.#blackHoled = true;
    this.#targets.freeze();
  }

  get blackHoled(): boolean {
    return this.#blackHoled;
  }

  /** Cuts every TCP connection, handshakes included; the port stays open. */
  resetConnections(): number {
    return this.#targets.resetConnections();
  }

  /** Back to good behaviour for everything that comes from now on. */
  clear(): void {
    this.stallMs = {};
    this.refuseRenewals = false;
    this.cutStreamAfterBytes = undefined;
    this.rendezvousDelayMs = 0;
    this.clockOffsetMs = 0;
    this.#refusals.length = 0;
    this.#blackHoled = false;
    this.arm.clear();
    this.entra.clear();
  }

  /** For the relay: the refusal that hits this request, which is counted. */
  takeRefusal(action: FaultAction): { status: number; reason: string } | undefined {
    const entry = this.#refusals.find(({ refusal, left }) => refusal.action === action && left > 0);
    if (entry === undefined) return undefined;
    entry.left -= 1;
    const { status, reason = 'Refused by a fault of the emulator' } = entry.refusal;
    return { status, reason };
  }
}
