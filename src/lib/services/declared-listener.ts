/** A listener of hcm.yaml, as the tunnel's listener takes it. */
import type { ListenerOptions } from '../../tunnel/options.ts';
import type { ListenerDeclaration, ListenerTargets } from '../config/hcm-yaml/manager-declaration.ts';

export function declaredListenerOptions(listener: ListenerDeclaration): ListenerOptions {
  const { targets, allow, maxStreams, dialTimeoutMs, idleTimeoutMs, proxyProtocol, keepPath, hostHeader } =
    listener;
  return {
    ...targetOptions(targets),
    ...{ allow, maxStreams, dialTimeoutMs, proxyProtocol, keepPath, hostHeader },
    // What is said for all counts for those that say nothing.
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
  };
}

export function targetOptions(
  targets: ListenerTargets,
): Pick<ListenerOptions, 'dialect' | 'address' | 'ports'> {
  return targets.dialect === 'raw'
    ? { address: targets.target }
    : { dialect: 'azbridge', ports: targets.ports };
}
