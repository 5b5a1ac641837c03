/** Proof: the target can be reached from here. Says something only on the listener's side, beside the target. */
import { connect as connectTls } from 'node:tls';
import { isIP, type Socket } from 'node:net';
import { HcmError } from '../../../protocol/errors.ts';
import { formatTargetAddress, type TargetAddress } from '../../../protocol/target-address.ts';
import { targetFromUserMetadata } from '../../../protocol/user-metadata.ts';
import { orAborted, withDeadline } from '../../../tunnel/network-errors.ts';
import { dialAddress, type StreamAddress } from '../../../tunnel/target-dialer.ts';
import { chainOf } from './certificate-chain.ts';
import type { Case } from './proof.ts';
import { failed, ok, skipped, warning, type Facts, type Finding } from './report.ts';
import type { LogicalPort } from './scene.ts';
import type { CancelSignal } from '../../../tunnel/network-errors.ts';

const ELSEWHERE = 'run this where the target is: hcm doctor CONNECTION --side listener';
const UNKNOWN = 'no target is known here';
const TLS_LIMIT_MS = 10_000;
/** Ports whose servers speak TLS from the first byte (IANA: https, ldaps, imaps, pop3s, smtps, amqps, mqtts; Azure's Redis; kube). */
const TLS_PORTS: ReadonlySet<number> = new Set([443, 465, 636, 993, 995, 5671, 6380, 6443, 8443, 8883]);

export async function proveTarget(given: Case): Promise<Finding> {
  const { ports } = given.scene;
  return ports === undefined ? proveOne(given) : provePorts(given, ports);
}

/** Each of them; the first that cannot be reached is what counts. */
async function provePorts(given: Case, ports: readonly LogicalPort[]): Promise<Finding> {
  const { scene } = given;
  const targets = ports.flatMap(({ target }) => (target === undefined ? [] : [target]));
  if (targets.length === 0) return skipped(ELSEWHERE);
  const findings: Finding[] = [];
  for (const target of targets) {
    const one = { ...given, scene: { ...scene, target } };
    findings.push(await proveOne(one).catch((error: unknown) => failed(thrownBy(error, scene.signal))));
  }
  const worst = ['failed', 'warning'].map((result) => findings.find((found) => found.result === result));
  const first = worst.find((found) => found !== undefined);
  return first ?? ok(findings.map(({ seen }) => seen).join('; '));
}

function thrownBy(error: unknown, signal: CancelSignal): HcmError {
  if (signal.aborted || !(error instanceof HcmError)) throw error;
  return error;
}

async function proveOne(given: Case): Promise<Finding> {
  const { scene } = given;
  const { clock, dns, signal, allow } = scene;
  const known = await targetOf(given);
  if (known === undefined) return skipped(unknownFor(scene));
  const { address, side } = known;
  if (side === 'sender') return skipped(ELSEWHERE);
  const name = formatTargetAddress(address);
  if (address.kind === 'udp') return skipped(`${name} takes datagrams, which nobody need answer`);
  const stream = streamAddress(address);
  if (side === undefined && stream.kind === 'tcp' && isIP(stream.host) === 0) {
    const isKnown = await orAborted(dns.addresses(stream.host), signal).then(
      (addresses) => addresses.length > 0,
      () => false,
    );
    signal.throwIfAborted();
    if (!isKnown) return skipped(`${stream.host} has no address here: ${ELSEWHERE}`);
  }
  try {
    const socket = await dialAddress(stream, { clock, allow, signal });
    const facts = { target: name, ...(await tlsFacts(socket, address, given)) };
    return ok(`${name} answers${spokenTls(facts)}`, facts);
  } catch (error) {
    if (!(error instanceof HcmError) || signal.aborted) throw error;
    if (side === 'listener') return failed(error, undefined, { target: name });
    return warning(error, `It need not be reachable from here: ${ELSEWHERE}.`, { target: name });
  }
}

/** Who has said where he stands is the manager as well, whose test has no flag for a target. */
function unknownFor({ side }: Case['scene']): string {
  if (side === 'sender') return `${UNKNOWN}: the listener has it`;
  return side === undefined ? `${UNKNOWN}; name it with --target` : UNKNOWN;
}

/** That of --target, and then this is the listener's side; else the metadata's. */
async function targetOf({ scene, rights }: Case) {
  if (scene.target !== undefined) return { address: scene.target, side: scene.side ?? ('listener' as const) };
  const { listen, side } = await rights();
  const metadata = listen.connection === undefined ? undefined : listen.description?.userMetadata;
  const target = usableTarget(metadata);
  if (target === undefined) return undefined;
  return { address: { kind: 'tcp', ...target } satisfies TargetAddress, side };
}

/** What is wrong with metadata is said by the proof before. */
function usableTarget(metadata: string | undefined) {
  try {
    return targetFromUserMetadata(metadata);
  } catch {
    return undefined;
  }
}

function streamAddress(address: Exclude<TargetAddress, { kind: 'udp' }>): StreamAddress {
  return address.kind === 'http' ? { kind: 'tcp', host: address.host, port: address.port } : address;
}

/** TLS where the target is to speak it; whether its certificate is trusted is the client's matter, not the tunnel's. */
async function tlsFacts(socket: Socket, address: TargetAddress, { scene }: Case): Promise<Facts> {
  const isTls =
    (address.kind === 'http' && address.secure) || (address.kind === 'tcp' && TLS_PORTS.has(address.port));
  try {
    if (!isTls) return {};
    const host = address.host;
    const late = () => new HcmError('HCM_TLS_FAILED', 'no answer');
    const { clock, signal } = scene;
    return await withDeadline({ clock, limitMs: TLS_LIMIT_MS, late, signal }, (inner) =>
      handshake(socket, host, inner),
    );
  } catch (error) {
    if (scene.signal.aborted) throw error;
    return { tls: false };
  } finally {
    socket.destroy();
  }
}

function handshake(socket: Socket, host: string, signal: CancelSignal): Promise<Facts> {
  return new Promise((resolve, reject) => {
    const tls = connectTls({
      ...{ socket, ...(isIP(host) ? {} : { servername: host }) },
      // Only looked at: nothing is sent.
      rejectUnauthorized: false,
    });
    const fail = (error: Error) => reject(error);
    signal.addEventListener('abort', () => fail(signal.reason), { once: true });
    tls.once('error', fail).once('close', () => fail(new Error('closed')));
    tls.once('secureConnect', () => {
      const chain = chainOf(tls);
      resolve({
        tls: true,
        ...(chain && {
          protocol: chain.protocol,
          subject: chain.subject,
          issuer: chain.issuer,
          validTo: chain.validTo,
        }),
      });
      tls.on('error', () => undefined);
    });
  });
}

function spokenTls(facts: Facts): string {
  if (facts['tls'] === undefined) return '';
  if (facts['tls'] === false) return ', without TLS';
  return `, with ${String(facts['protocol'])}: "${String(facts['subject'])}" issued by "${String(facts['issuer'])}"`;
}
