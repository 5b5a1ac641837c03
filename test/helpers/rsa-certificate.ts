/** A self-signed certificate for an RSA key, as an application registers it. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  Certificate,
  Name,
  RelativeDistinguishedName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';
import type { SigningKeyState } from '../../src/emulator/entra-state.ts';

const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';
const COMMON_NAME = '2.5.4.3';
const HOUR_MS = 3_600_000;

export function selfSignedRsa(key: SigningKeyState): string {
  const privateKey = createPrivateKey({ key, format: 'jwk' });
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  // RFC 4055, 5: the parameters are NULL.
  const parameters = new Uint8Array([5, 0]).buffer;
  const algorithm = new AlgorithmIdentifier({ algorithm: SHA256_WITH_RSA, parameters });
  const value = new AttributeValue({ utf8String: 'test' });
  const name = new Name([
    new RelativeDistinguishedName([new AttributeTypeAndValue({ type: COMMON_NAME, value })]),
  ]);
  const tbsCertificate = new TBSCertificate({
    ...{ version: Version.v3, signature: algorithm, issuer: name, subject: name },
    serialNumber: new Uint8Array([1]).buffer,
    validity: new Validity({
      ...{ notBefore: new Date(Date.now() - HOUR_MS), notAfter: new Date(Date.now() + HOUR_MS) },
    }),
    subjectPublicKeyInfo: AsnConvert.parse(spki, SubjectPublicKeyInfo),
  });
  const signature = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertificate)), privateKey);
  const signatureValue = new Uint8Array(signature).buffer;
  const certificate = new Certificate({ tbsCertificate, signatureAlgorithm: algorithm, signatureValue });
  const base64 = Buffer.from(AsnConvert.serialize(certificate)).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
