/**
 * What the emulator tells whoever hosts it: one stream of events for log lines and tests. No event holds a token, a
 * key or a rendezvous address that is still good.
 */

export type RelayAction = 'listen' | 'connect' | 'accept' | 'request' | 'read' | 'http';

export type EmulatorEventBody =
  | { event: 'listener-online'; connection: string; listener: string; remote: string; listeners: number }
  | {
      event: 'listener-offline';
      connection: string;
      listener: string;
      listeners: number;
      /** The Close code of whoever closed first; undefined when the connection was lost or cut. */
      code?: number | undefined;
      reason: string;
    }
  | { event: 'token-renewed'; connection: string; listener: string; expiresAt: string }
  /** A control message that makes no sense was ignored, as the service does. */
  | { event: 'message-ignored'; connection: string; listener: string; reason: string }
  /** A sender waits for a listener. `id` is what both sides know the stream by. */
  | { event: 'connect'; connection: string; id: string; remote: string }
  | { event: 'accept'; connection: string; id: string; protocol?: string | undefined }
  /** A listener turned a sender away. */
  | { event: 'reject'; connection: string; id: string; status: number; reason: string }
  /** The sender went away before anybody accepted it. */
  | { event: 'abandoned'; connection: string; id: string }
  /** A stream is over; `clean` when both sides had closed. */
  | { event: 'closed'; connection: string; id: string; clean: boolean }
  /** A listener was told of an HTTP request. `path` has no query: tokens come in queries. Not `inline`: a listener is to come for it. */
  | {
      event: 'request';
      connection: string;
      id: string;
      method: string;
      path: string;
      remote: string;
      inline: boolean;
    }
  /** A listener's answer begins. Not `inline`: its body comes over a rendezvous. */
  | { event: 'response'; connection: string; id: string; status: number; inline: boolean }
  /** The sender went away, or was cut, before it had the whole answer. */
  | { event: 'request-lost'; connection: string; id: string; reason: string }
  /** The relay answered an error. `connection` is the path that was asked for. */
  | {
      event: 'refused';
      action: RelayAction;
      connection: string;
      status: number;
      reason: string;
      remote: string;
    }
  /** Resource Manager answered a request. `code` is the error's; `write` when it was asked to change something. */
  | { event: 'arm'; method: string; path: string; status: number; write: boolean; code?: string | undefined };

/** `time` is ISO 8601 in UTC. */
export type EmulatorEvent = { time: string } & EmulatorEventBody;
export type EmulatorEventHandler = (event: EmulatorEvent) => void;
