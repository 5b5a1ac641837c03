/** Declarations of section `manager:` as hcm.yaml says them: read back as they were, and without a secret. */
import { formatTargetAddress } from '../../../protocol/target-address.ts';
import { formatBind } from '../../../protocol/target.ts';
import type {
  Access,
  ForwardDeclaration,
  HealthCheck,
  ListenerDeclaration,
  ManagerDeclaration,
} from './manager-declaration.ts';
import { escapeVariables } from './variables.ts';
import { compact } from './write.ts';

/** The data of a file with this section: JSON of it is a file, too. Empty lists are left out. */
export function managerSectionData({ listeners, forwards }: ManagerDeclaration): { manager: object } {
  return {
    manager: {
      ...(listeners.length === 0 ? {} : { listeners: listeners.map(listenerData) }),
      ...(forwards.length === 0 ? {} : { forwards: forwards.map(forwardData) }),
    },
  };
}

function listenerData(listener: ListenerDeclaration): object {
  const { targets, allow, maxStreams, dialTimeoutMs, proxyProtocol, keepPath, hostHeader, healthCheck } =
    listener;
  const { target } = targets.dialect === 'raw' ? targets : {};
  return compact({
    ...tunnelData(listener),
    ...(targets.dialect === 'azbridge'
      ? { dialect: 'azbridge', ports: portsData(targets.ports, formatTargetAddress) }
      : { target: target && escapeVariables(formatTargetAddress(target)) }),
    allow: allow?.map(({ text }) => escapeVariables(text)),
    maxStreams,
    dialTimeout: durationText(dialTimeoutMs),
    idleTimeout: durationText(listener.idleTimeoutMs),
    proxyProtocol,
    keepPath: keepPath || undefined,
    hostHeader: hostHeader && escapeVariables(hostHeader),
    healthCheck: healthCheck && healthCheckData(healthCheck),
  });
}

/** As short as it can be said. */
function healthCheckData(check: HealthCheck): string | object {
  const path = check.kind === 'http' ? check.path : undefined;
  if (check.everyMs === undefined && path === undefined) return check.kind;
  return compact({
    ...(check.kind === 'tcp' ? { tcp: true } : { http: escapeVariables(path ?? '/') }),
    everySeconds: check.everyMs === undefined ? undefined : check.everyMs / 1_000,
  });
}

function forwardData(forward: ForwardDeclaration): object {
  const { binds } = forward;
  return compact({
    ...tunnelData(forward),
    ...(binds.kind === 'azbridge'
      ? { dialect: 'azbridge', ports: portsData(binds.ports, formatBind) }
      : {
          bind: binds.bind && escapeVariables(formatBind(binds.bind)),
          http: binds.kind === 'http' || undefined,
          keepPath: (binds.kind === 'http' && binds.keepPath) || undefined,
        }),
    idleTimeout: durationText(forward.idleTimeoutMs),
  });
}

function tunnelData({ connection, access }: { connection: string; access: Access }): object {
  return { connection: escapeVariables(connection), ...accessData(access) };
}

function accessData(access: Access): object {
  switch (access.kind) {
    case 'azure':
      return {};
    case 'entra':
      return { entra: true };
    case 'file':
      return { connectionStringFile: escapeVariables(access.path) };
    case 'variable':
      return { connectionString: `\${${access.name}}` };
  }
}

function portsData<T>(ports: ReadonlyMap<string, T>, format: (address: T) => string): object {
  return Object.fromEntries([...ports].map(([name, address]) => [name, escapeVariables(format(address))]));
}

function durationText(ms: number | undefined): string | undefined {
  if (ms === undefined) return undefined;
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}
