/** A self-signed certificate for localhost and 127.0.0.1, written in DER by hand: the helper needs only node:crypto. */
import { generateKeyPairSync, sign } from 'node:crypto';

export interface TlsCertificate {
  /** PEM; also the authority to trust. */
  cert: string;
  key: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const OID_ECDSA_WITH_SHA256 = '06082a8648ce3d040302';
const OID_COMMON_NAME = '0603550403';
const OID_SUBJECT_ALT_NAME = '0603551d11';
let made: TlsCertificate | undefined;

/** The same one for the whole process. */
export function tlsCertificate(): TlsCertificate {
  return (made ??= make());
}

function make(): TlsCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(0x30, hex(OID_ECDSA_WITH_SHA256));
  const name = der(0x30, der(0x31, der(0x30, hex(OID_COMMON_NAME), der(0x0c, Buffer.from('localhost')))));
  const names = der(0x30, der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])));
  const toBeSigned = der(
    0x30,
    ...[der(0xa0, hex('020102')), hex('020101'), algorithm, name],
    der(0x30, utcTime(Date.now() - DAY_MS), utcTime(Date.now() + DAY_MS)),
    ...[name, publicKey.export({ type: 'spki', format: 'der' })],
    der(0xa3, der(0x30, der(0x30, hex(OID_SUBJECT_ALT_NAME), der(0x04, names)))),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', toBeSigned, privateKey));
  const base64 = der(0x30, toBeSigned, algorithm, signature).toString('base64');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Tag, length, content. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const short = content.length < 128;
  const length = short ? [content.length] : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}
