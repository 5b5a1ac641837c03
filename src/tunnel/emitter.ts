/** Stamps events with the time and the connection they belong to. */
import { HcmError } from '../protocol/errors.ts';
import { WebSocketError } from '../websocket/websocket-error.ts';
import type { Clock } from './clock.ts';
import { nodeCode } from './network-errors.ts';
import type { TunnelEvent, TunnelEventBody } from './events.ts';
import type { Connection, TunnelOptions } from './options.ts';

/** ECONNRESET and its like; what OpenSSL says. Not ERR_INVALID_ARG_TYPE and its like. */
const NETWORK_CODE = /^(E[A-Z]+$|ERR_SSL|ERR_TLS|ERR_STREAM_PREMATURE_CLOSE)/;

export type Emit = (body: TunnelEventBody) => void;

export function emitterFor(connection: Connection, clock: Clock, options: TunnelOptions): Emit {
  const name = connectionName(connection);
  return (body) => {
    const stamp = { event: body.event, time: new Date(clock.nowMs()).toISOString(), connection: name };
    const stamped: TunnelEvent = Object.assign(stamp, body);
    options.onEvent?.(stamped);
  };
}

/** NAMESPACE-HOST/NAME, as it stands in every event. */
export function connectionName({ endpoint, path }: Connection): string {
  return `${endpoint.host}/${path}`;
}

/** Anything thrown, as the error that an event or a rejection carries. What no network says is a bug of ours. */
export function asHcmError(error: unknown): HcmError {
  if (error instanceof HcmError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof WebSocketError && error.code !== 'WS_CONNECTION_LOST') {
    const said = `The relay broke the WebSocket protocol: ${text}`;
    return new HcmError('HCM_WEBSOCKET_PROTOCOL', said, { retryable: true, cause: error });
  }
  const fromNetwork =
    error instanceof WebSocketError || (error instanceof Error && NETWORK_CODE.test(nodeCode(error)));
  return fromNetwork
    ? new HcmError('HCM_CONNECTION_LOST', `The connection was lost: ${text}`, {
        retryable: true,
        cause: error,
      })
    : new HcmError('HCM_UNEXPECTED', `Something unexpected happened: ${text}`, { cause: error });
}
