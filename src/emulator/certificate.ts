/**
 * Issues certificates over EC P-256 keys with an X.509 library. Large to load, so import it where a certificate is
 * made, when it is made. Knows nothing about what the certificates are for, nor about files.
 */
// The libraries register their parts by decorators while they load: they need this first.
import 'reflect-metadata';
import { KeyObject, createPrivateKey, webcrypto } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  GeneralName as Asn1Name,
  GeneralSubtree,
  GeneralSubtrees,
  NameConstraints,
} from '@peculiar/asn1-x509';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
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

const KEY = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const KEY_PREFIX_CHARS = 8;
const NAME_CONSTRAINTS = '2.5.29.30';

/** A self-signed authority that may issue end certificates only. */
export async function issueAuthority(request: AuthorityRequest): Promise<CertifiedKey> {
  const keys = await generateKeys();
  const { x = '' } = await webcrypto.subtle.exportKey('jwk', keys.publicKey);
  const { commonName, organization } = request.subject;
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: nameOf({ commonName: `${commonName} ${x.slice(0, KEY_PREFIX_CHARS)}`, organization }),
    keys,
    ...validityOf(request),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      permittedNames(request.permitted),
    ],
  });
  return certified(certificate, keys);
}

/** A server's certificate by `authority`. Rejects when `authority` is unusable. */
export async function issueServer(authority: CertifiedKey, request: ServerRequest): Promise<CertifiedKey> {
  const issuer = new X509Certificate(authority.certPem);
  const pkcs8 = createPrivateKey(authority.keyPem).export({ type: 'pkcs8', format: 'der' });
  const [keys, signingKey] = await Promise.all([
    generateKeys(),
    webcrypto.subtle.importKey('pkcs8', pkcs8, KEY, false, ['sign']),
  ]);
  const certificate = await X509CertificateGenerator.create({
    subject: nameOf(request.subject),
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey,
    ...validityOf(request),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      new SubjectAlternativeNameExtension([...request.names]),
    ],
  });
  return certified(certificate, keys);
}

/** The one extension that the library has no class for. */
function permittedNames(names: readonly GeneralName[]): Extension {
  const subtrees = names.map(({ type, value }) => {
    const base = new Asn1Name(type === 'dns' ? { dNSName: value } : { iPAddress: value });
    return new GeneralSubtree({ base });
  });
  const constraints = new NameConstraints({ permittedSubtrees: new GeneralSubtrees(subtrees) });
  return new Extension(NAME_CONSTRAINTS, true, AsnConvert.serialize(constraints));
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify']);
}

function nameOf({ organization, commonName }: CertificateName) {
  return [{ O: [organization] }, { CN: [commonName] }];
}

function validityOf({ notBefore, notAfter }: Validity): Validity {
  return { notBefore, notAfter };
}

function certified(certificate: { toString(format: 'pem'): string }, keys: webcrypto.CryptoKeyPair) {
  const keyPem = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
  return { certPem: `${certificate.toString('pem')}\n`, keyPem };
}
