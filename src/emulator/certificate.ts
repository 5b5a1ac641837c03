/**
 * Issues X.509 v3 certificates (RFC 5280) over EC P-256 keys: the few extensions that a private authority and its
 * server certificates need. Knows nothing about what they are for, nor about files.
 */
import { createHash, createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto';
import {
  bitString,
  boolean,
  context,
  integer,
  octetString,
  oid,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts';

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/** Tags of GeneralName (RFC 5280, 4.2.1.6). */
const DNS_NAME = 2;
const IP_ADDRESS = 7;
const SERIAL_BYTES = 16;

export interface CertificateName {
  readonly commonName: string;
  readonly organization: string;
}

/** A DNS name, or the bytes of an IP address (in a constraint: address and mask). */
export type GeneralName = { readonly dns: string } | { readonly ip: readonly number[] };

export interface CertificateRequest {
  readonly subject: CertificateName;
  readonly publicKey: KeyObject;
  readonly issuer: CertificateName;
  readonly issuerKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Buffer[];
}

/** Issues a certificate; PEM. */
export function issueCertificate(request: CertificateRequest): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const serial = randomBytes(SERIAL_BYTES);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const content = sequence(
    context(0, integer(Buffer.from([2])), true),
    integer(serial),
    algorithm,
    nameOf(request.issuer),
    sequence(time(request.notBefore), time(request.notAfter)),
    nameOf(request.subject),
    spki(request.publicKey),
    context(3, sequence(...request.extensions), true),
  );
  const certificate = sequence(content, algorithm, bitString(sign('sha256', content, request.issuerKey)));
  const lines = certificate.toString('base64').replace(/.{1,64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`;
}

function nameOf({ commonName, organization }: CertificateName): Buffer {
  const part = (type: string, text: string) => set(sequence(oid(type), utf8String(text)));
  return sequence(part(OID.organization, organization), part(OID.commonName, commonName));
}

function spki(key: KeyObject): Buffer {
  return (key.type === 'public' ? key : createPublicKey(key)).export({ type: 'spki', format: 'der' });
}

/** RFC 5280, 4.2.1.2, method 1; the 65 bytes of an uncompressed P-256 point end the structure. */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha1').update(spki(key).subarray(-65)).digest();
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

function generalName(name: GeneralName): Buffer {
  return 'dns' in name
    ? context(DNS_NAME, Buffer.from(name.dns, 'latin1'), false)
    : context(IP_ADDRESS, Buffer.from(name.ip), false);
}

/** An authority that may issue end certificates only. */
export const authorityConstraints = (): Buffer =>
  extension(OID.basicConstraints, true, sequence(boolean(true), integer(Buffer.from([0]))));
export const endConstraints = (): Buffer => extension(OID.basicConstraints, true, sequence());
/** keyCertSign and cRLSign: bits 5 and 6. */
export const authorityUsage = (): Buffer => extension(OID.keyUsage, true, bitString(Buffer.from([0x06]), 1));
/** digitalSignature: bit 0. */
export const signatureUsage = (): Buffer => extension(OID.keyUsage, true, bitString(Buffer.from([0x80]), 7));
export const serverUsage = (): Buffer =>
  extension(OID.extendedKeyUsage, false, sequence(oid(OID.serverAuth)));
export const subjectKey = (key: KeyObject): Buffer =>
  extension(OID.subjectKeyIdentifier, false, octetString(keyIdentifier(key)));
export const authorityKey = (key: KeyObject): Buffer =>
  extension(OID.authorityKeyIdentifier, false, sequence(context(0, keyIdentifier(key), false)));
export const alternativeNames = (names: readonly GeneralName[]): Buffer =>
  extension(OID.subjectAltName, false, sequence(...names.map(generalName)));
/** Nothing outside of these names may be certified. */
export const permittedNames = (names: readonly GeneralName[]): Buffer => {
  const subtrees = Buffer.concat(names.map((name) => sequence(generalName(name))));
  return extension(OID.nameConstraints, true, sequence(context(0, subtrees, true)));
};
