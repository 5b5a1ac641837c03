/** A local address that leads to a logical port of azbridge: loaded only for those who want one. */
import type { Bind } from '../../protocol/target.ts';
import { startDatagramPort } from './datagram-port.ts';
import { openLogicalPort } from './logical-port.ts';
import { startLocalPort, type LocalPort, type OpenHook } from '../local-port.ts';
import type { Sender } from '../sender.ts';

/** Rejects as `startLocalPort` and `startDatagramPort` do. */
export function startLogicalPort(bind: Bind, sender: Sender, name: string): Promise<LocalPort> {
  if (bind.kind === 'udp') return startDatagramPort(bind, sender, { name });
  return startLocalPort(bind, sender, { open: logicalPortHook(sender, name) });
}

/** Opens the streams of a stream port. */
export function logicalPortHook(sender: Sender, name: string): OpenHook {
  return (options) => openLogicalPort(sender, { name, mode: 'stream', ...options });
}
