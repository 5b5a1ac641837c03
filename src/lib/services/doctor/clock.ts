/** Proof: this machine and the relay agree about the time. Tokens carry times, and a certificate is good for some. */
import { HcmError } from '../../../protocol/errors.ts';
import { CLOCK_SKEW_LIMIT_MS } from '../../../protocol/limits.ts';
import type { Case } from './proof.ts';
import { failed, ok, skipped, warning, type Finding, type ProofId } from './report.ts';

/** Worth a word: a clock that is kept by NTP is off by less than a second. */
const NOTICED_MS = 60_000;

export async function proveClock({ way }: Case): Promise<Finding> {
  const stages: readonly (readonly [ProofId, () => Promise<unknown>])[] = [
    ['dns', () => (way.proxy ? Promise.resolve() : way.names())],
    ['proxy', way.proxied],
    ['tcp', way.reached],
    ['tls', way.greeted],
  ];
  for (const [id, walk] of stages) {
    const isPassable = await walk().then(
      () => true,
      () => false,
    );
    if (!isPassable) return skipped('the relay cannot be asked for the time', id);
  }
  const { skewMs, tlsError } = await way.greeted();
  if (skewMs === undefined) {
    return skipped('the relay did not say what time it is', tlsError === undefined ? 'websocket' : 'tls');
  }
  const facts = { skewMs: Math.round(skewMs) };
  const distance = Math.abs(skewMs);
  if (distance <= NOTICED_MS) {
    return ok(`${Math.round(distance / 1_000)} s apart from the relay's`, facts);
  }
  const error = new HcmError(
    'HCM_CLOCK_SKEW',
    `The clock of this machine is ${spoken(distance)} ${skewMs > 0 ? 'behind' : 'ahead of'} the relay's`,
    { details: { skewMs: facts.skewMs } },
  );
  return distance > CLOCK_SKEW_LIMIT_MS
    ? failed(
        error,
        'Tokens say until when they are good: the relay refuses those of a clock that is so far off.',
        facts,
      )
    : warning(error, 'Not enough to spoil tokens yet.', facts);
}

function spoken(ms: number): string {
  const minutes = ms / 60_000;
  if (minutes < 2) return `${Math.round(ms / 1_000)} s`;
  return minutes < 120 ? `${Math.round(minutes)} minutes` : `${Math.round(minutes / 60)} hours`;
}
