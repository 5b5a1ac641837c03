/** Tells a target who its client is: the PROXY protocol's header, the first thing that is written to its connection. */
import type { Socket } from 'node:net';
import type { RemoteEndpoint } from '../protocol/control-messages.ts';
import { proxyHeader } from '../protocol/proxy-header.ts';

export interface ProxiedClient {
  /** The sender, as the relay saw it; undefined when the relay did not say. */
  remote: RemoteEndpoint | undefined;
  /** The id that stands in the events. */
  stream: string | undefined;
}

/**
 * Writes the header in one piece. The socket is connected, nothing was written to it yet (TLS comes behind the header),
 * and somebody listens to its errors.
 */
export function writeProxyHeader(socket: Socket, { remote, stream }: ProxiedClient): void {
  const { remoteAddress: address, remotePort: port } = socket;
  const destination = address === undefined || port === undefined ? undefined : { address, port };
  socket.write(proxyHeader({ source: remote, destination, id: stream }));
}
