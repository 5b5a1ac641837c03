/**
 * Proofs of one address, without a hybrid connection: HOST:PORT is dialed from this machine, the host of a namespace is
 * asked as a tunnel would ask it. What Microsoft's `hcm test ENDPOINT` does, with the reason where it fails.
 */
import { HcmError } from '../../../protocol/errors.ts';
import { isRelayNamespaceHost, normalizeHost } from '../../../protocol/relay-hosts.ts';
import { parseTargetAddress, type TargetAddress } from '../../../protocol/target-address.ts';
import { examine, type ExamineOptions } from './examine.ts';
import type { ProofId, ProofReport } from './report.ts';
import type { Scene } from './scene.ts';

export type TestedEndpoint =
  | { readonly kind: 'target'; readonly address: TargetAddress }
  | { readonly kind: 'namespace'; readonly host: string };

const TARGET_PROOFS: ReadonlySet<ProofId> = new Set<ProofId>(['target']);
/** All that needs neither a token nor an entity. */
const NAMESPACE_PROOFS: ReadonlySet<ProofId> = new Set<ProofId>([
  ...(['clock', 'dns', 'proxy', 'tcp', 'gateways', 'tls', 'websocket'] as const),
]);
const RELAY_PORT = 443;
/** Nobody looks whether it exists: without a token the relay says no before. */
const ANY_ENTITY = 'hcm-test';

/**
 * HOST:PORT, `unix:PATH`, `http://HOST`, or NAMESPACE.servicebus.windows.net.
 * @throws HcmError HCM_TARGET_INVALID.
 */
export function parseEndpoint(text: string): TestedEndpoint {
  const host = normalizeHost(text.trim().replace(/^(?:https|sb):\/\/([^/:]+)\/?$/i, '$1'));
  if (isRelayNamespaceHost(host)) return { kind: 'namespace', host };
  const address = parseTargetAddress(text);
  if (address.kind !== 'udp') return { kind: 'target', address };
  throw new HcmError('HCM_TARGET_INVALID', 'A UDP port need not answer anybody: it cannot be tested.', {
    details: { next: 'Name a TCP port: hcm test HOST:PORT' },
  });
}

/** As `examine`. */
export function examineEndpoint(
  endpoint: TestedEndpoint,
  scene: Omit<Scene, 'connections' | 'side' | 'target' | 'ports'>,
  options: Pick<ExamineOptions, 'onBegin' | 'onReport'> = {},
): Promise<ProofReport[]> {
  if (endpoint.kind === 'target') {
    const given: Scene = { ...scene, connections: [], side: 'listener', target: endpoint.address };
    return examine(given, { ...options, only: TARGET_PROOFS });
  }
  const connection = { endpoint: { host: endpoint.host, port: RELAY_PORT }, path: ANY_ENTITY };
  const given: Scene = { ...scene, connections: [connection], side: undefined, target: undefined };
  return examine(given, { ...options, only: NAMESPACE_PROOFS });
}
