/**
 * The emulator's certificate authority, and the server certificate it issues at each start. The authority can sign
 * nothing but loopback names (critical name constraints), so trusting it endangers no other host. Nothing is
 * written here; see ca-file.ts.
 */
import { createPrivateKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import {
  alternativeNames,
  authorityConstraints,
  authorityKey,
  authorityUsage,
  endConstraints,
  issueCertificate,
  permittedNames,
  serverUsage,
  signatureUsage,
  subjectKey,
  type CertificateName,
  type GeneralName,
} from './certificate.ts';

/** Certificate and private key (PKCS #8), both PEM. */
export interface CertifiedKey {
  readonly certPem: string;
  readonly keyPem: string;
}

const DAY_MS = 86_400_000;
const CA_LIFETIME_MS = 3650 * DAY_MS;
/** Longest life that Apple's and browsers' verifiers take; an emulator that runs longer must be restarted. */
const SERVER_LIFETIME_MS = 397 * DAY_MS;
/** Certificates are valid from yesterday: containers and virtual machines have clocks of their own. */
const BACKDATED_MS = DAY_MS;

const ORGANIZATION = 'hcm local Azure emulator';
const V6_LOOPBACK = [...Array<number>(15).fill(0), 1];

/** `localhost` covers its subdomains by RFC 5280; the second form is for verifiers that want the dot. */
const PERMITTED: readonly GeneralName[] = [
  { dns: 'localhost' },
  { dns: '.localhost' },
  { ip: [127, 0, 0, 0, 255, 0, 0, 0] },
  { ip: [...V6_LOOPBACK, ...Array<number>(16).fill(255)] },
];

const SERVER_NAMES: readonly GeneralName[] = [
  { dns: 'localhost' },
  { dns: '*.localhost' },
  // Most verifiers take no wildcard right below a top-level name.
  { dns: '*.servicebus.localhost' },
  { ip: [127, 0, 0, 1] },
  { ip: V6_LOOPBACK },
];

/** A new authority: EC P-256, ten years. Takes about a millisecond. */
export function createCa(nowMs = Date.now()): CertifiedKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // The key's own identifier tells several authorities of one name apart.
  const subject: CertificateName = {
    commonName: `hcm local CA ${publicKey.export({ format: 'jwk' }).x?.slice(0, 8) ?? ''}`,
    organization: ORGANIZATION,
  };
  const certPem = issueCertificate({
    ...{ subject, publicKey, issuer: subject, issuerKey: privateKey },
    ...validity(nowMs, CA_LIFETIME_MS),
    extensions: [authorityConstraints(), authorityUsage(), subjectKey(publicKey), permittedNames(PERMITTED)],
  });
  return { certPem, keyPem: pem(privateKey) };
}

/** A server certificate for the loopback names, with a key of its own. Throws when `ca` is unusable. */
export function issueServerCertificate(ca: CertifiedKey, nowMs = Date.now()): CertifiedKey {
  const issuerKey = createPrivateKey(ca.keyPem);
  const issuer = subjectOf(new X509Certificate(ca.certPem));
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certPem = issueCertificate({
    ...{ subject: { commonName: 'localhost', organization: ORGANIZATION }, publicKey, issuer, issuerKey },
    ...validity(nowMs, SERVER_LIFETIME_MS),
    extensions: [
      endConstraints(),
      signatureUsage(),
      serverUsage(),
      subjectKey(publicKey),
      authorityKey(issuerKey),
      alternativeNames(SERVER_NAMES),
    ],
  });
  return { certPem, keyPem: pem(privateKey) };
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

function subjectOf(certificate: X509Certificate): CertificateName {
  const part = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(certificate.subject)?.[1] ?? '';
  return { commonName: part('CN'), organization: part('O') };
}

function validity(nowMs: number, lifetimeMs: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(nowMs - BACKDATED_MS), notAfter: new Date(nowMs - BACKDATED_MS + lifetimeMs) };
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
