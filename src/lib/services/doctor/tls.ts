/** Proof: TLS with the relay itself, and not with a box that opens it on the way; whoever opens it is named. */
import { HcmError } from '../../../protocol/errors.ts';
import { cloudSuffixOf, isLoopbackName } from '../../../protocol/relay-hosts.ts';
import { hasFingerprint, isPublicRoot, type ChainSight } from './certificate-chain.ts';
import type { Case } from './proof.ts';
import { loopbackCaOf } from '../../../tunnel/relay-dialer.ts';
import { failed, ok, warning, type Finding } from './report.ts';
import type { Scene } from './scene.ts';

export async function proveTls({ way, scene }: Case): Promise<Finding> {
  const { chain, tlsError } = await way.greeted();
  if (tlsError !== undefined) return untrusted(way.host, tlsError, chain);
  if (chain === undefined) return ok('without TLS, on this machine alone');
  const issuer = `issued by "${chain.issuer}"`;
  const unverified = scene.machine.env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0';
  if (unverified) {
    const text = `NODE_TLS_REJECT_UNAUTHORIZED=0: no certificate is verified (this one is ${issuer})`;
    const next = 'Unset NODE_TLS_REJECT_UNAUTHORIZED; trust a private CA with --ca-file FILE';
    return failed(new HcmError('HCM_TLS_UNTRUSTED', text, { details: { next } }), undefined, { ...chain });
  }
  if (isExpected(way.host, chain, scene)) return ok(`${chain.protocol}, ${issuer}, trusted`, { ...chain });
  const error = new HcmError('HCM_TLS_UNTRUSTED', `TLS is opened on the way: the certificate is ${issuer}`, {
    details: {
      ...{ host: way.host, port: way.port },
      next: `Nothing need be done while all else holds; else have ${way.host} taken out of the inspection`,
    },
  });
  return warning(
    error,
    'This machine trusts it, so the tunnel works; but it is read, and often cut, there.',
    {
      ...chain,
      inspected: true,
    },
  );
}

function untrusted(host: string, error: HcmError, chain: ChainSight | undefined): Finding {
  if (chain === undefined) return failed(error);
  const { code, retryable, details, message, cause } = error;
  const named = new HcmError(code, `${message.replace(/\.$/, '')} (issued by "${chain.issuer}")`, {
    ...{ retryable, details, cause },
  });
  const isOurs = isLoopbackName(host);
  // The certificate is the right one, and only its time is not.
  const isTime = /CERT_(?:HAS_EXPIRED|NOT_YET_VALID)/.test(String(details['seen']));
  if (isTime && (isOurs || isPublicRoot(chain))) {
    return failed(named, `It is good from ${chain.validFrom} to ${chain.validTo}.`, { ...chain });
  }
  return failed(
    named,
    isOurs
      ? `Who answers there is not the emulator of this user, or something opens TLS on the way.`
      : `Something on the way answers in place of the relay and opens TLS: "${chain.root}". ${PUBLIC}`,
    { ...chain, inspected: !isOurs && cloudSuffixOf(host) !== undefined },
  );
}

const PUBLIC = 'The relays of Azure have certificates of public authorities.';

/** On loopback the emulator's authority, at Azure a public one; a private relay may have any that is trusted. */
function isExpected(host: string, chain: ChainSight, { network }: Scene): boolean {
  if (isLoopbackName(host)) {
    const loopbackCa = loopbackCaOf(network);
    return loopbackCa !== undefined && hasFingerprint([loopbackCa], chain.rootFingerprint);
  }
  return cloudSuffixOf(host) === undefined || isPublicRoot(chain);
}
