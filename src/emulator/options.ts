/** What comes into the emulator from outside, and the facts of Azure Relay that nobody knows for sure. */
import {
  BODY_IDLE_MS,
  MAX_LISTENERS,
  RENDEZVOUS_LIFETIME_MS,
  RESPONSE_TIMEOUT_MS,
  TOKEN_GRACE_MS,
} from '../protocol/limits.ts';
import type { RelayCondition } from '../protocol/relay-answers.ts';
import type { CertifiedKey } from './certified-key.ts';
import type { EmulatorClock } from './clock.ts';
import type { EmulatorEventHandler } from './events.ts';
import type { PrincipalSpec } from './entra-state.ts';
import { DEFAULT_SIGN_IN, type SignInBehaviour } from './entra/context.ts';
import type { FaultSettings } from './faults.ts';
import type { ConnectionSpec, EmulatorState } from './state.ts';
import type { SubscriptionSpec } from './state-subscriptions.ts';

export interface EmulatorOptions {
  /** 0 is any free port. Default 0. */
  port?: number | undefined;
  /** Default `127.0.0.1`, and then `::1` too where the machine has it. Other addresses open the emulator to a network. */
  host?: string | undefined;
  /** Connections to make, unless the state has them. */
  connections?: readonly ConnectionSpec[] | undefined;
  /** Subscriptions to have besides the first, unless the state has one of this name. */
  subscriptions?: readonly SubscriptionSpec[] | undefined;
  /** The resource providers that the first subscription is registered for. Default: what the state says; at first all. */
  registeredProviders?: readonly string[] | undefined;
  /** Applications that can sign in besides the emulator's own client. */
  principals?: readonly PrincipalSpec[] | undefined;
  /** A document that was loaded; the emulator changes it. Default: a fresh one. */
  state?: EmulatorState | undefined;
  /** Default: a new authority that lives as long as the emulator. */
  ca?: CertifiedKey | undefined;
  /** Plain TCP instead of TLS: for benchmarks and bytes on the wire; loopback only. */
  insecure?: boolean | undefined;
  /** Bounds of TLS; default 1.2 and 1.3. */
  minTlsVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  maxTlsVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  faults?: FaultSettings | undefined;
  behaviour?: Partial<Behaviour> | undefined;
  clock?: EmulatorClock | undefined;
  /** In [0, 1): chooses among listeners. */
  random?: (() => number) | undefined;
  onEvent?: EmulatorEventHandler | undefined;
}

/** Where Azure's behaviour is doubtful or long, a default that can be changed. Times in ms. */
export interface Behaviour extends SignInBehaviour {
  /**
   * Other statuses than protocol/relay-answers.ts has, by condition: `no-listener` (404; Microsoft's guide: 502),
   * `listener-timeout` (504; 408, 404), `right-missing` (403; 401), `listener-quota` (403), `rendezvous-unknown`
   * (403; 400), `listener-lost` (502) and all others.
   */
  statuses: Partial<Record<RelayCondition, number>>;
  maxListeners: number;
  /** How long a sender is held, and its address can be used. */
  rendezvousLifeMs: number;
  /** What a listener gets from an HTTP request, or the last piece of its body, to its response. */
  responseTimeoutMs: number;
  /** Silence of this length ends an HTTP body, in both directions. */
  bodyIdleMs: number;
  /**
   * What becomes of a request whose listener has read it all and leaves: 502 at once (`fail`; another listener would
   * perhaps do the same work again), or it stays open until somebody responds or its time is over (`wait`).
   */
  requestOfLostListener: 'fail' | 'wait';
  /** How long past its expiry a token keeps a control channel open. */
  tokenGraceMs: number;
  /** What a token must have left when it is used to open something. Seen: 0 to one minute. */
  connectMinValidityMs: number;
  /** A stream whose one side closed this long ago is cut. Default never; Microsoft planned 60 s. */
  halfOpenLimitMs: number | undefined;
  /** What the read of an entity that is not there answers: an empty feed with 200, or 404. */
  missingEntityRead: 'feed' | 'not-found';
  /** Scheme of rendezvous addresses. `ws` is for clients of `insecure` that take the address to the letter. */
  addressScheme: 'wss' | 'ws';
  /** Answers to a listener that is refused again and again are held back so long (hyco-ws retries at once). */
  refusedListenDelayMs: number;
  /** From a connection to the end of its request's head, TLS included. */
  handshakeTimeoutMs: number;
  /** What stop() grants clients to answer a Close. */
  stopGraceMs: number;
  /** From the request to create a namespace until it can be used. Azure was seen to take 43 to 47 s. */
  provisioningMs: number;
  /** From the request to delete a namespace until it is gone. Azure was seen to take 35 to 80 s. */
  removalMs: number;
  /** From the request to register a resource provider until it is. Azure was seen to take 70 s. */
  registrationMs: number;
  /**
   * How the creation of a namespace is answered: 200 and a state to look at (`state`), or 201 and the address of an
   * operation (`operation`). Recordings show the first for api-version 2017-04-01 and the second for the newest.
   */
  namespaceCreation: 'by-version' | 'state' | 'operation';
  /**
   * The host in the connection strings that ARM gives: the namespace's own (`NAME.servicebus.localhost`), or `localhost`,
   * which serves all namespaces, and which every resolver knows.
   */
  namespaceHost: 'own' | 'localhost';
  /** Lists of ARM have so many items a page, and a nextLink. Default: one page, unless `$top` asks for less. */
  armPageSize: number | undefined;
}

export const DEFAULT_BEHAVIOUR: Behaviour = {
  ...DEFAULT_SIGN_IN,
  statuses: {},
  maxListeners: MAX_LISTENERS,
  rendezvousLifeMs: RENDEZVOUS_LIFETIME_MS,
  responseTimeoutMs: RESPONSE_TIMEOUT_MS,
  bodyIdleMs: BODY_IDLE_MS,
  requestOfLostListener: 'fail',
  tokenGraceMs: TOKEN_GRACE_MS,
  connectMinValidityMs: 0,
  halfOpenLimitMs: undefined,
  missingEntityRead: 'feed',
  addressScheme: 'wss',
  refusedListenDelayMs: 1_000,
  handshakeTimeoutMs: 10_000,
  stopGraceMs: 200,
  provisioningMs: 50,
  removalMs: 50,
  registrationMs: 50,
  namespaceCreation: 'by-version',
  namespaceHost: 'own',
  armPageSize: undefined,
};
