/** Stamps events with the time and the connection they belong to. */
import { HcmError } from '../protocol/errors.ts';
import type { Clock } from './clock.ts';
import type { TunnelEvent, TunnelEventBody } from './events.ts';
import type { Connection, TunnelOptions } from './options.ts';

export type Emit = (body: TunnelEventBody) => void;

export function emitterFor(connection: Connection, clock: Clock, options: TunnelOptions): Emit {
  const name = connectionName(connection);
  return (body) => {
    const time = new Date(clock.nowMs()).toISOString();
    const { event, ...rest } = body;
    options.onEvent?.({ event, time, connection: name, ...rest } as TunnelEvent);
  };
}

/** NAMESPACE-HOST/NAME, as it stands in every event. */
export function connectionName({ endpoint, path }: Connection): string {
  return `${endpoint.host}/${path}`;
}

/** Anything thrown, as the error that an event or a rejection carries. */
export function asHcmError(error: unknown): HcmError {
  if (error instanceof HcmError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new HcmError('HCM_CONNECTION_LOST', `The connection was lost: ${text}`, {
    retryable: true,
    cause: error,
  });
}
