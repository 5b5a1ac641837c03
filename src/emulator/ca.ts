/**
 * The emulator's certificate authority, and the server certificate it issues at each start. The authority can sign
 * nothing but loopback names (critical name constraints), so trusting it endangers no other host. Nothing is
 * written here; see ca-file.ts.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { GeneralName } from './certificate.ts';
import type { CertifiedKey } from './certified-key.ts';

const DAY_MS = 86_400_000;
const CA_LIFETIME_MS = 3650 * DAY_MS;
/** Longest life that Apple's and browsers' verifiers take; an emulator that runs longer must be restarted. */
const SERVER_LIFETIME_MS = 397 * DAY_MS;
/** Certificates are valid from yesterday: containers and virtual machines have clocks of their own. */
const BACKDATED_MS = DAY_MS;

const ORGANIZATION = 'hcm local Azure emulator';

/** `localhost` covers its subdomains by RFC 5280; the second form is for verifiers that want the dot. */
const PERMITTED: readonly GeneralName[] = [
  { type: 'dns', value: 'localhost' },
  { type: 'dns', value: '.localhost' },
  { type: 'ip', value: '127.0.0.0/8' },
  { type: 'ip', value: '::1/128' },
];

const SERVER_NAMES: readonly GeneralName[] = [
  { type: 'dns', value: 'localhost' },
  { type: 'dns', value: '*.localhost' },
  // Most verifiers take no wildcard right below a top-level name.
  { type: 'dns', value: '*.servicebus.localhost' },
  { type: 'ip', value: '127.0.0.1' },
  { type: 'ip', value: '::1' },
];

/** A new authority: EC P-256, ten years. */
export async function createCa(nowMs = Date.now()): Promise<CertifiedKey> {
  const { issueAuthority } = await import('./certificate.ts');
  return issueAuthority({
    subject: { commonName: 'hcm local CA', organization: ORGANIZATION },
    permitted: PERMITTED,
    ...validity(nowMs, CA_LIFETIME_MS),
  });
}

/** A server certificate for the loopback names, with a key of its own. Rejects when `ca` is unusable. */
export async function issueServerCertificate(ca: CertifiedKey, nowMs = Date.now()): Promise<CertifiedKey> {
  const { issueServer } = await import('./certificate.ts');
  return issueServer(ca, {
    subject: { commonName: 'localhost', organization: ORGANIZATION },
    names: SERVER_NAMES,
    ...validity(nowMs, SERVER_LIFETIME_MS),
  });
}

/** Why an authority cannot be used (any more); undefined when it can. */
export function caFault(
  ca: CertifiedKey,
  nowMs = Date.now(),
): 'unreadable' | 'mismatch' | 'expired' | undefined {
  try {
    const certificate = new X509Certificate(ca.certPem);
    if (!certificate.ca || !certificate.checkPrivateKey(createPrivateKey(ca.keyPem))) return 'mismatch';
    // A server certificate issued today must not outlive its authority.
    return Date.parse(certificate.validTo) < nowMs + SERVER_LIFETIME_MS ? 'expired' : undefined;
  } catch {
    return 'unreadable';
  }
}

function validity(nowMs: number, lifetimeMs: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(nowMs - BACKDATED_MS), notAfter: new Date(nowMs - BACKDATED_MS + lifetimeMs) };
}
