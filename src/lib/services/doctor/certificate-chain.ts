/**
 * Who vouches for a server: the chain of a TLS connection, and whether its root is one of the public ones. A root of
 * somebody else in front of Azure means that TLS is opened and looked into on the way.
 */
import { X509Certificate } from 'node:crypto';
import { rootCertificates, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';

export interface ChainSight {
  readonly protocol: string;
  readonly cipher: string;
  readonly subject: string;
  /** Who issued the server's certificate. */
  readonly issuer: string;
  /** The last of the chain. */
  readonly root: string;
  readonly rootFingerprint: string;
  readonly validFrom: string;
  readonly validTo: string;
}

/** Undefined when the connection has no certificate (no TLS, or a resumed session). */
export function chainOf(socket: TLSSocket): ChainSight | undefined {
  const leaf = socket.getPeerCertificate(true);
  // Node gives an empty object for none.
  if ((leaf as Partial<DetailedPeerCertificate>).raw === undefined) return undefined;
  const root = rootOf(leaf);
  return {
    protocol: socket.getProtocol() ?? '',
    cipher: socket.getCipher().name,
    subject: nameOf(leaf.subject),
    issuer: nameOf(leaf.issuer),
    // A server often leaves its root out: then the issuer of the last one is its name.
    root: nameOf(root.issuer),
    rootFingerprint: root.fingerprint256,
    validFrom: dateOf(leaf.valid_from),
    validTo: dateOf(leaf.valid_to),
  };
}

/** True for the roots that Node itself comes with. */
export function isPublicRoot({ rootFingerprint }: ChainSight): boolean {
  return hasFingerprint(rootCertificates, rootFingerprint);
}

/** True when the root is one of these (PEM). */
export function hasFingerprint(certificates: readonly string[], fingerprint: string): boolean {
  return certificates.some((pem) => {
    try {
      return new X509Certificate(pem).fingerprint256 === fingerprint;
    } catch {
      return false;
    }
  });
}

function rootOf(leaf: DetailedPeerCertificate): DetailedPeerCertificate {
  let root = leaf;
  const seen = new Set<string>();
  while (!seen.has(root.fingerprint256)) {
    seen.add(root.fingerprint256);
    // The last one is its own issuer, or has none.
    root = root.issuerCertificate ?? root;
  }
  return root;
}

/** The name that people know it by, and whose it is. */
function nameOf(name: DetailedPeerCertificate['subject']): string {
  const { CN, O } = name as { CN?: string | string[]; O?: string | string[] };
  const [common, organization] = [[CN ?? []].flat().join(', '), [O ?? []].flat().join(', ')];
  if (common === '') return organization === '' ? 'nobody' : organization;
  return organization === '' || common.includes(organization) ? common : `${common} (${organization})`;
}

function dateOf(text: string): string {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? text : new Date(ms).toISOString();
}
