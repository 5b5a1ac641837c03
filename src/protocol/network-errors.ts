/** What Node says about DNS, TCP and TLS, as our errors: the one place that reads its codes. */
import { HcmError, type ErrorCode } from './errors.ts';

const UNTRUSTED = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'PATH_LENGTH_EXCEEDED',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  // Node's word for every reason of OpenSSL that it has no name for: violated name constraints among them.
  'UNSPECIFIED',
]);

/** The error behind a failed connection to `host:port`. An HcmError is passed on as it is. */
export function errorFromNetwork(error: Error, host: string, port: number): HcmError {
  if (error instanceof HcmError) return error;
  const { message } = mostTelling(error);
  const seen = nodeCode(error);
  const code = networkErrorCode(seen);
  const text = {
    HCM_DNS_FAILED: `The name ${host} could not be resolved (${seen})`,
    HCM_CONNECT_REFUSED: `${host}:${port} refused the connection`,
    HCM_TLS_UNTRUSTED: `The certificate of ${host}:${port} is not trusted: ${message}`,
    HCM_TLS_FAILED: `TLS with ${host}:${port} failed: ${message}`,
  }[code as string];
  return new HcmError(code, text ?? `The connection to ${host}:${port} failed: ${message}`, {
    retryable: code !== 'HCM_TLS_UNTRUSTED',
    details: { host, port, ...(seen === '' ? {} : { seen }) },
    cause: error,
  });
}

function networkErrorCode(seen: string): ErrorCode {
  if (isResolutionCode(seen)) return 'HCM_DNS_FAILED';
  if (seen === 'ECONNREFUSED') return 'HCM_CONNECT_REFUSED';
  if (seen === 'ETIMEDOUT') return 'HCM_CONNECT_TIMEOUT';
  if (UNTRUSTED.has(seen)) return 'HCM_TLS_UNTRUSTED';
  if (seen.startsWith('ERR_SSL') || seen.startsWith('ERR_TLS') || seen === 'EPROTO') return 'HCM_TLS_FAILED';
  return 'HCM_CONNECT_FAILED';
}

/** Node's error code; of several attempts (one an address) the most telling one's. */
export function nodeCode(error: Error): string {
  return mostTelling(error).code ?? '';
}

/** Refused: a host was there. A machine without IPv6 says "unreachable" of a name's first address, which helps nobody. */
function mostTelling(error: Error): NodeJS.ErrnoException {
  const attempts = error instanceof AggregateError ? (error.errors as NodeJS.ErrnoException[]) : [];
  return attempts.find(({ code }) => code === 'ECONNREFUSED') ?? attempts[0] ?? error;
}

/** True for the codes of a name that has no address (getaddrinfo). */
export function isResolutionCode(seen: string): boolean {
  return seen === 'ENOTFOUND' || seen.startsWith('EAI_');
}
