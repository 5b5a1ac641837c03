/**
 * Issues certificates over EC P-256 keys with the X.509 classes of an ASN.1 library. A part to load of its own, so
 * import it where a certificate is made, when it is made. Knows nothing about what the certificates are for, nor
 * about files.
 */
import {
  createHash,
  createPrivateKey,
  generateKeyPair,
  randomBytes,
  sign,
  X509Certificate,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName as Asn1Name,
  GeneralSubtree,
  GeneralSubtrees,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  NameConstraints,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity as Asn1Validity,
  Version,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_nameConstraints,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_serverAuth,
} from '@peculiar/asn1-x509';
import type { CertifiedKey } from './certified-key.ts';

/** A DNS name, or an IP address (in a constraint with its prefix: `127.0.0.0/8`). */
export interface GeneralName {
  readonly type: 'dns' | 'ip';
  readonly value: string;
}

interface CertificateName {
  readonly commonName: string;
  readonly organization: string;
}

interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

interface AuthorityRequest extends Validity {
  /** The beginning of its key is added to its name: that tells several authorities of one name apart. */
  readonly subject: CertificateName;
  /** Nothing outside of these names may be certified. */
  readonly permitted: readonly GeneralName[];
}

interface ServerRequest extends Validity {
  readonly subject: CertificateName;
  readonly names: readonly GeneralName[];
}

/** RFC 5758 section 3.2; and the attribute types of X.520. */
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const ORGANIZATION_NAME = '2.5.4.10';
const COMMON_NAME = '2.5.4.3';
/** RFC 5280 section 4.1.2.2: up to 20 bytes, positive. */
const SERIAL_BYTES = 16;
const KEY_PREFIX_CHARS = 8;
const PEM_LINE = /.{1,64}/g;

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A self-signed authority that may issue end certificates only. */
export async function issueAuthority(request: AuthorityRequest): Promise<CertifiedKey> {
  const keys = await generateKeys();
  const { x = '' } = keys.publicKey.export({ format: 'jwk' });
  const { commonName, organization } = request.subject;
  const subject = nameOf({ commonName: `${commonName} ${x.slice(0, KEY_PREFIX_CHARS)}`, organization });
  return certify(keys, {
    ...{ subject, issuer: subject, signingKey: keys.privateKey, validity: request },
    extensions: [
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), 'critical'),
      extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), 'critical'),
      extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdentifier(keys.publicKey))),
      extension(id_ce_nameConstraints, permittedNames(request.permitted), 'critical'),
    ],
  });
}

/** A server's certificate by `authority`. Rejects when `authority` is unusable. */
export async function issueServer(authority: CertifiedKey, request: ServerRequest): Promise<CertifiedKey> {
  const issuer = new X509Certificate(authority.certPem);
  const signingKey = createPrivateKey(authority.keyPem);
  const keys = await generateKeys();
  return certify(keys, {
    subject: nameOf(request.subject),
    issuer: AsnConvert.parse(issuer.raw, Certificate).tbsCertificate.subject,
    ...{ signingKey, validity: request },
    extensions: [
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: false }), 'critical'),
      extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), 'critical'),
      extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
      extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdentifier(keys.publicKey))),
      extension(
        id_ce_authorityKeyIdentifier,
        new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyIdentifier(issuer.publicKey)) }),
      ),
      extension(id_ce_subjectAltName, new SubjectAlternativeName(request.names.map(asn1Name))),
    ],
  });
}

interface Contents {
  readonly subject: Name;
  readonly issuer: Name;
  readonly signingKey: KeyObject;
  readonly validity: Validity;
  readonly extensions: readonly Extension[];
}

function certify(keys: KeyPair, contents: Contents): CertifiedKey {
  const { subject, issuer, signingKey, validity, extensions } = contents;
  const algorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
  const tbsCertificate = new TBSCertificate({
    ...{ version: Version.v3, signature: algorithm, serialNumber: createSerial(), subject, issuer },
    validity: new Asn1Validity({ notBefore: validity.notBefore, notAfter: validity.notAfter }),
    subjectPublicKeyInfo: AsnConvert.parse(spki(keys.publicKey), SubjectPublicKeyInfo),
    extensions: new Extensions([...extensions]),
  });
  const signed = Buffer.from(AsnConvert.serialize(tbsCertificate));
  const signatureValue = bytesOf(sign('sha256', signed, signingKey));
  const certificate = new Certificate({ tbsCertificate, signatureAlgorithm: algorithm, signatureValue });
  const base64 = Buffer.from(AsnConvert.serialize(certificate)).toString('base64');
  const lines = base64.match(PEM_LINE) ?? [];
  return {
    certPem: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
    keyPem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function extension(extnID: string, value: object, critical?: 'critical'): Extension {
  const extnValue = new OctetString(AsnConvert.serialize(value));
  return new Extension({ extnID, critical: critical !== undefined, extnValue });
}

function permittedNames(names: readonly GeneralName[]): NameConstraints {
  const subtrees = names.map((name) => new GeneralSubtree({ base: asn1Name(name) }));
  return new NameConstraints({ permittedSubtrees: new GeneralSubtrees(subtrees) });
}

function asn1Name({ type, value }: GeneralName): Asn1Name {
  return new Asn1Name(type === 'dns' ? { dNSName: value } : { iPAddress: value });
}

function generateKeys(): Promise<KeyPair> {
  return promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
}

/** RFC 5280 section 4.2.1.2, method 1: the hash of the key's bits. */
function keyIdentifier(publicKey: KeyObject): ArrayBuffer {
  const { subjectPublicKey } = AsnConvert.parse(spki(publicKey), SubjectPublicKeyInfo);
  return bytesOf(createHash('sha1').update(Buffer.from(subjectPublicKey)).digest());
}

function spki(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

function createSerial(): ArrayBuffer {
  const serial = randomBytes(SERIAL_BYTES);
  // The first bit says negative, and a leading zero byte would be cut: neither occurs.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return bytesOf(serial);
}

function nameOf({ organization, commonName }: CertificateName): Name {
  const part = (type: string, utf8String: string) =>
    new RelativeDistinguishedName([
      new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String }) }),
    ]);
  return new Name([part(ORGANIZATION_NAME, organization), part(COMMON_NAME, commonName)]);
}

/** A copy in memory of its own: a Buffer may be a window into a larger piece. */
function bytesOf(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
