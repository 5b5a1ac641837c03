/**
 * What may be asked about the targets of a connection: whether they are there, and which one Azure names. Nothing is dialed
 * that a stream may not dial.
 */
import type { HealthCheck, ListenerDeclaration } from '../lib/config/hcm-yaml/manager-declaration.ts';
import { allows, parseAllowRule, type AllowRule } from '../protocol/allow-list.ts';
import { parseTargetAddress, type TargetAddress } from '../protocol/target-address.ts';
import { formatTarget } from '../protocol/target.ts';
import { targetFromUserMetadata } from '../protocol/user-metadata.ts';
import { systemClock } from '../tunnel/clock.ts';
import { asHcmError } from '../tunnel/emitter.ts';
import { readEntity } from '../tunnel/entity-reader.ts';
import { orAborted } from '../tunnel/network-errors.ts';
import type { Connection, TunnelOptions } from '../tunnel/options.ts';
import { RelayDialer } from '../tunnel/relay-dialer.ts';
import { probeTarget } from './target-probe.ts';
import type { ConnectionSpec, TargetQuestions } from './tunnel.ts';

export interface TargetQuestionsOptions {
  /** As of the tunnel opener. */
  connect: (spec: ConnectionSpec, signal: AbortSignal) => Promise<Connection>;
  network: TunnelOptions;
}

export function targetQuestions({ connect, network }: TargetQuestionsOptions): TargetQuestions {
  const { clock = systemClock, ca } = network;
  const probe = (
    address: TargetAddress,
    listener: ListenerDeclaration,
    use: { check: HealthCheck; confirmed: string | undefined; anyStatus?: boolean; signal: AbortSignal },
  ) => {
    const { hostHeader, proxyProtocol } = listener;
    const allow = rulesOf(listener, use.confirmed);
    return probeTarget(address, { ...use, clock, ca, allow, hostHeader, proxyProtocol });
  };
  return {
    async probe(spec, { named, confirmed, signal }) {
      const listener = listenerOf(spec);
      const check = listener?.healthCheck;
      if (!listener || !check) return;
      const addresses = addressesOf(listener, named);
      const asked = addresses.map((address) => probe(address, listener, { check, confirmed, signal }));
      await anyOf(asked);
    },
    async reach(spec, target, { confirmed, signal }) {
      const listener = listenerOf(spec);
      if (!listener) return;
      const address = parseTargetAddress(target);
      const check: HealthCheck = { kind: address.kind === 'http' ? 'http' : 'tcp' };
      await probe(address, listener, { check, confirmed, anyStatus: true, signal });
    },
    async read(spec, signal) {
      const connection = await orAborted(connect(spec, signal), signal);
      const { tokens } = connection;
      if (!tokens) return undefined;
      const dialer = new RelayDialer(network, clock);
      const { userMetadata } = await readEntity({ ...connection, tokens }, { dialer, clock, signal });
      const target = targetFromUserMetadata(userMetadata);
      return target && formatTarget(target);
    },
  };
}

/** True: the target that Azure names is the one that was confirmed, however it is written. */
export function isConfirmed(named: string, confirmed: string): boolean {
  const address = parseTargetAddress(named);
  if (address.kind !== 'tcp') return false;
  return allows([parseAllowRule(confirmed)], { ...address, address: address.host });
}

function listenerOf({ declared }: ConnectionSpec): ListenerDeclaration | undefined {
  return declared.kind === 'listener' ? declared.listener : undefined;
}

/** The rules that a stream is held to. */
function rulesOf(
  { allow, targets }: ListenerDeclaration,
  confirmed: string | undefined,
): readonly AllowRule[] | undefined {
  if (allow) return allow;
  const isFromAzure = targets.dialect === 'raw' && targets.target === undefined;
  return isFromAzure && confirmed !== undefined ? [parseAllowRule(confirmed)] : undefined;
}

function addressesOf({ targets }: ListenerDeclaration, named: string | undefined): TargetAddress[] {
  if (targets.dialect === 'azbridge') return [...targets.ports.values()];
  const address = targets.target ?? (named === undefined ? undefined : parseTargetAddress(named));
  return address ? [address] : [];
}

/**
 * Resolves when one of them is there, or nothing is known to ask: as long as one logical port leads somewhere, the listener is
 * of use. What may not be dialed is not down: streams are told why.
 */
async function anyOf(asked: readonly Promise<void>[]): Promise<void> {
  const answers = await Promise.allSettled(asked);
  const isDown = answers.every(({ status }) => status === 'rejected');
  const why = answers.flatMap((answer) => (answer.status === 'rejected' ? [asHcmError(answer.reason)] : []));
  const outage = why.find(({ code }) => code !== 'HCM_TARGET_NOT_ALLOWED');
  if (isDown && outage !== undefined) throw outage;
}
