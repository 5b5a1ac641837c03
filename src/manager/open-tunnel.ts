/** Opens what a declaration says with the tunnel's own parts: a listener, or one local port after the other. */
import type { ForwardDeclaration, ListenerDeclaration } from '../lib/config/hcm-yaml/manager-declaration.ts';
import { declaredListenerOptions } from '../lib/services/declared-listener.ts';
import type { HcmError } from '../protocol/errors.ts';
import { parseTarget, type StreamBind } from '../protocol/target.ts';
import { startLogicalPort } from '../tunnel/azbridge/local-logical-port.ts';
import { systemClock } from '../tunnel/clock.ts';
import { startHttpPort } from '../tunnel/http-sender/http-port.ts';
import { HybridConnectionListener } from '../tunnel/listener.ts';
import { startLocalPort, type LocalPort } from '../tunnel/local-port.ts';
import { orAborted } from '../tunnel/network-errors.ts';
import type { Connection, ListenerOptions, TunnelOptions } from '../tunnel/options.ts';
import { Sender } from '../tunnel/sender.ts';
import { withRenewableKey } from './renewable-key.ts';
import type { ConnectionSpec, ManagedTunnel, OpenTunnel } from './tunnel.ts';

/** Any free port of this machine alone. */
const DEFAULT_BIND: StreamBind = { kind: 'tcp', host: '127.0.0.1', port: 0 };

export interface TunnelOpenerOptions {
  /** Finds the relay's address, and how to prove who we are. Asked at each opening: keys may have changed. */
  connect: (spec: ConnectionSpec, signal: AbortSignal) => Promise<Connection>;
  network: TunnelOptions;
}

export function tunnelOpener({ connect, network }: TunnelOpenerOptions): OpenTunnel {
  return async (spec, { onEvent, signal, confirmed }) => {
    const found = await orAborted(connect(spec, signal), signal);
    const readAgain = () => connect(spec, new AbortController().signal);
    const { connection, renewKey } = withRenewableKey(found, readAgain, network.clock ?? systemClock);
    const options = { ...network, onEvent };
    if (spec.declared.kind === 'forward')
      return { ...(await openForward(spec.declared.forward, connection, options)), renewKey };
    const confirmedTarget = confirmed === undefined ? undefined : parseTarget(confirmed);
    const listening = openListener(spec.declared.listener, connection, { ...options, confirmedTarget });
    const { refresh, ...tunnel } = listening;
    return {
      ...tunnel,
      renewKey: async () => {
        const isTaken = await renewKey();
        if (isTaken) refresh();
        return isTaken;
      },
    };
  };
}

function openListener(
  declared: ListenerDeclaration,
  connection: Connection,
  options: ListenerOptions,
): ManagedTunnel & { refresh: () => void } {
  const listener = new HybridConnectionListener(connection, {
    ...declaredListenerOptions(declared),
    ...options,
    // The manager gives nothing up.
    keepTrying: true,
  });
  listener.start();
  return {
    binds: [],
    ended: listener.ended,
    hurry: () => listener.hurry(),
    refresh: () => listener.refresh(),
    stop: (stopping) => listener.stop(stopping),
    streams: () => listener.streams,
  };
}

/** All of its ports, or none. */
async function openForward(
  declared: ForwardDeclaration,
  connection: Connection,
  options: TunnelOptions,
): Promise<ManagedTunnel> {
  const { binds, idleTimeoutMs } = declared;
  const sender = new Sender(connection, {
    ...options,
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
  });
  const ports: LocalPort[] = [];
  const stop = async (stopping: { graceMs: number }) =>
    void (await Promise.all(ports.map((port) => port.stop(stopping))));
  try {
    if (binds.kind === 'azbridge')
      for (const [name, bind] of binds.ports) ports.push(await startLogicalPort(bind, sender, name));
    else if (binds.kind === 'http')
      ports.push(await startHttpPort(binds.bind ?? DEFAULT_BIND, sender, { keepPath: binds.keepPath }));
    else ports.push(await startLocalPort(binds.bind ?? DEFAULT_BIND, sender));
  } catch (error) {
    await stop({ graceMs: 0 });
    throw error;
  }
  return {
    binds: ports.map(({ bind }) => bind),
    ended: new Promise<HcmError | undefined>(() => undefined),
    stop,
    streams: () => ports.flatMap(({ streams }) => streams),
  };
}
