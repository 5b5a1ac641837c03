/** A self-signed certificate for an RSA key, as an application registers it. */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { X509CertificateGenerator } from '@peculiar/x509';
import type { SigningKeyState } from '../../src/emulator/entra-state.ts';

const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const;
const HOUR_MS = 3_600_000;

export async function selfSignedRsa({ kty, n, e, ...secret }: SigningKeyState): Promise<string> {
  const { subtle } = webcrypto;
  const publicKey = await subtle.importKey('jwk', { kty, n, e }, ALGORITHM, true, ['verify']);
  const { d, p, q, dp, dq, qi } = secret;
  const jwk = { kty, n, e, d, p, q, dp, dq, qi };
  const privateKey = await subtle.importKey('jwk', jwk, ALGORITHM, true, ['sign']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...{ name: 'CN=test', keys: { publicKey, privateKey }, signingAlgorithm: ALGORITHM },
    ...{ notBefore: new Date(Date.now() - HOUR_MS), notAfter: new Date(Date.now() + HOUR_MS) },
  });
  return certificate.toString('pem');
}
