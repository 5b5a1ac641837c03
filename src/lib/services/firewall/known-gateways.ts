/** Which gateways of a stamp there are today: Azure gives names to new ones as it adds them. */
import type { Clock } from '../../../tunnel/clock.ts';
import { mapAtMost } from '../parallel.ts';
import type { Dns } from './dns.ts';

export interface KnownGateway {
  readonly host: string;
  /** Undefined: no DNS server has said. */
  readonly exists: boolean | undefined;
}

const QUERIES_AT_A_TIME = 16;
/** For all of them. A resolver that answers takes a second or two. */
const LIMIT_MS = 15_000;

/** Does not reject; what is not known at the limit, or when the signal fires, stays unknown. */
export async function knownGateways(
  hosts: readonly string[],
  { dns, clock, signal }: { dns: Dns; clock: Clock; signal?: AbortSignal },
): Promise<KnownGateway[]> {
  let isLate = false;
  const cancel = clock.setTimer(LIMIT_MS, () => (isLate = true));
  try {
    return await mapAtMost(QUERIES_AT_A_TIME, hosts, async (host) => {
      if (isLate || signal?.aborted) return { host, exists: undefined };
      return { host, exists: await dns.exists(host).catch(() => undefined) };
    });
  } finally {
    cancel();
  }
}
