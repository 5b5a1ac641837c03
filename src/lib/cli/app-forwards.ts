/**
 * What `forward --app` binds: as in App Service, each connection of the app has an address of its own on this machine
 * and the port of its target, so that several targets on the same port do not get into each other's way.
 */
import { isIP } from 'node:net';
import { HcmError } from '../../protocol/errors.ts';
import { isLoopbackName } from '../../protocol/relay-hosts.ts';
import { formatTarget, type StreamBind, type Target } from '../../protocol/target.ts';
import type { AppConnection } from '../services/app-forward.ts';
import type { ConnectionFlags } from './connection-flags.ts';
import type { Output } from './output.ts';
import type { Forward, ForwardPlan } from './run-forward.ts';

/** 127.0.0.1 is left to what runs on this machine; a plan allows an app 220 connections, which fit. */
const FIRST_OCTET = 2;

/** What is attached to the app. A connection that cannot be opened is warned of, unless it is the only one. */
export async function openAppForwards(request: {
  flags: ConnectionFlags;
  output: Output;
  /** CONNECTION arguments: there may be none. */
  names: readonly string[];
  app: string;
  slot: string | undefined;
}): Promise<ForwardPlan> {
  const { flags, output, names, app: name, slot } = request;
  if (names.length > 0) {
    throw new HcmError('HCM_USAGE', '--app opens what is attached to the app: name no CONNECTION with it.');
  }
  const { openApp } = await import('./azure-connections.ts');
  const { app, connections, failures } = await openApp({ flags, output }, { name, slot });
  for (const { message } of failures) output.warn(message);
  const targets = connections.map(({ target }) => target);
  return {
    forwards: appForwards(connections),
    about: {
      fields: { app: app.name, ...(app.slot === undefined ? {} : { slot: app.slot }) },
      lines: (open) =>
        hostsLines(
          targets,
          open.map(({ port }) => port.bind),
        ),
    },
  };
}

export function appForwards(connections: readonly AppConnection[]): Forward[] {
  return connections.map(({ connection, target }, index) => {
    const host = `127.0.0.${FIRST_OCTET + index}`;
    return {
      connection,
      bind: tcp(host, target.port),
      // A port below 1024 or one that is taken; and macOS has no address but 127.0.0.1.
      otherwise: [tcp(host, 0), tcp('127.0.0.1', 0)],
      target: formatTarget(target),
    };
  });
}

/** Only for targets whose port could be kept: a line in the hosts file names an address, and no port. */
export function hostsLines(targets: readonly Target[], binds: readonly string[]): string[] {
  const lines = targets.flatMap(({ host, port }, index) => {
    const address = binds[index]?.replace(new RegExp(`:${port}$`), '') ?? '';
    const isFirst = targets.findIndex((other) => other.host === host) === index;
    return isFirst && isIP(address) !== 0 && isIP(host) === 0 && !isLoopbackName(host)
      ? [`  ${address}  ${host}`]
      : [];
  });
  return lines.length === 0
    ? []
    : ['', 'With these lines in its hosts file, this machine finds them by name, as the app does:', ...lines];
}

function tcp(host: string, port: number): StreamBind {
  return { kind: 'tcp', host, port };
}
