/** A server certificate of a private authority, made for the test. */
import { issueAuthority, issueServer } from '../../src/emulator/certificate.ts';

export interface TlsCertificate {
  /** The authority to trust; all PEM. */
  ca: string;
  cert: string;
  key: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const ofLocalhost = makeCertificate('localhost', '127.0.0.1');

/** For localhost and 127.0.0.1; the same one for the whole process. */
export function tlsCertificate(): Promise<TlsCertificate> {
  return ofLocalhost;
}

/** For a DNS name, and an address if there is one; by an authority that can certify nothing else. */
export async function makeCertificate(name: string, address?: string): Promise<TlsCertificate> {
  const validity = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
  const names = [
    { type: 'dns', value: name } as const,
    ...(address === undefined ? [] : [{ type: 'ip', value: address } as const]),
  ];
  const permitted = names.map(({ type, value }) => ({ type, value: type === 'ip' ? `${value}/32` : value }));
  const subject = { commonName: 'Private CA', organization: 'Corp' };
  const authority = await issueAuthority({ subject, permitted, ...validity });
  const server = await issueServer(authority, {
    subject: { ...subject, commonName: name },
    names,
    ...validity,
  });
  return { ca: authority.certPem, cert: server.certPem, key: server.keyPem };
}
