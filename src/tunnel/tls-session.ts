/**
 * The TLS session that a client keeps to resume. OpenSSL puts the server's certificate into it and decodes that anew for
 * each connection, though a resumed handshake has no use for it. With OpenSSL 3.0 (Node 20) that is a third of what the
 * handshake costs (decision 26).
 */

/** SSL_SESSION (OpenSSL's ssl/ssl_asn1.c) is a sequence in DER, ... */
const SEQUENCE = 0x30;
/** ... its second element the version of TLS, INTEGER 0x0304, ... */
const TLS_1_3 = Buffer.from([0x02, 0x02, 0x03, 0x04]);
/** ... and the certificate of the peer its optional `[3]`. */
const PEER = 0xa3;

/**
 * The session without the certificate, to be given to `tls.connect` for the same server. Node emits a session once its
 * connection was verified, not before, and takes the resumption of one of TLS 1.3 for proof of the same server. That of
 * an older one it refuses without a certificate, so those stay whole. So does what has another shape, as the sessions
 * of Nodes that put the server's name before it: they have OpenSSL 3.5, which decodes fast.
 */
export function withoutCertificate(session: Buffer): Buffer {
  const elements = elementsOf(session);
  if (!elements?.[1]?.equals(TLS_1_3)) return session;
  return sequenceOf(elements.filter(([tag]) => tag !== PEER));
}

/** The elements of a DER sequence, each with its header; undefined when it is none. */
function elementsOf(der: Buffer): Buffer[] | undefined {
  const sequence = elementAt(der, 0);
  if (der[0] !== SEQUENCE || sequence?.end !== der.length) return undefined;
  const elements: Buffer[] = [];
  for (let at = sequence.start; at < der.length;) {
    const element = elementAt(der, at);
    if (!element) return undefined;
    elements.push(der.subarray(at, element.end));
    at = element.end;
  }
  return elements;
}

/** Where the value of the element at `at` starts and ends; undefined when it does not fit. */
function elementAt(der: Buffer, at: number): { start: number; end: number } | undefined {
  const first = der[at + 1] ?? 0x80;
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const start = at + 2 + lengthBytes;
  if (first === 0x80 || lengthBytes > 4 || start > der.length) return undefined;
  const end = start + (lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes));
  return end > der.length ? undefined : { start, end };
}

function sequenceOf(elements: Buffer[]): Buffer {
  const value = Buffer.concat(elements);
  const header = value.length < 0x80 ? [value.length] : longLength(value.length);
  return Buffer.concat([Buffer.from([SEQUENCE, ...header]), value]);
}

function longLength(length: number): number[] {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  const digits = [...bytes.subarray(bytes.findIndex((byte) => byte !== 0))];
  return [0x80 + digits.length, ...digits];
}
