/** Proofs: the proxy lets us through, the relay's port answers, and so do its gateways. */
import { HcmError } from '../../../protocol/errors.ts';
import { isLoopbackName } from '../../../protocol/relay-hosts.ts';
import type { Case } from './proof.ts';
import { proxyName, proxyReason } from './proxy-reason.ts';
import { failed, ok, skipped, type Finding } from './report.ts';

/** Of each kind of gateway. The whole list is `hcm firewall --test`'s. */
const GATEWAYS_TRIED = 4;

export async function proveProxy({ way, scene }: Case): Promise<Finding> {
  const { host, proxy } = way;
  if (way.proxyFault) throw way.proxyFault;
  const reason = proxyReason(host, proxy, scene.proxySetting, scene.machine.env);
  if (proxy === undefined) return ok(`none: ${reason}`, { reason });
  const facts = { proxy: proxyName(proxy), user: proxy.username !== undefined, reason };
  try {
    await way.proxied();
  } catch (error) {
    if (!(error instanceof HcmError)) throw error;
    return failed(error, `${facts.proxy} is used because ${reason}.`, facts);
  }
  return ok(`${facts.proxy} (${reason}) connects to ${host}:${way.port}`, facts);
}

export async function proveTcp({ way }: Case): Promise<Finding> {
  const address = await way.reached();
  const { host, port } = way;
  if (address === undefined) return ok(`${host}:${port} answers, behind the proxy`);
  return ok(`${host}:${port} answers (${address})`, { address });
}

export async function proveGateways({ way }: Case): Promise<Finding> {
  if (isLoopbackName(way.host)) return skipped('an emulator has none');
  const { stamp, hosts } = await way.gateways();
  if (stamp === undefined) return skipped('no alias of the namespace tells their names');
  const existing = hosts.filter(({ exists }) => exists).map(({ host }) => host);
  const tried = ['g', 'gv'].flatMap((kind) =>
    spread(
      existing.filter((host) => new RegExp(`^${kind}\\d`).test(host)),
      GATEWAYS_TRIED,
    ),
  );
  if (tried.length === 0) return skipped('none of their names resolves here');
  const outcomes = await Promise.all(
    tried.map((host) =>
      way.reach(host, way.port).then(
        () => undefined,
        (error: HcmError) => ({ host, error }),
      ),
    ),
  );
  const blocked = outcomes.filter((outcome) => outcome !== undefined);
  const [first] = blocked;
  const facts = { tried, blocked: blocked.map(({ host }) => host) };
  if (first === undefined) return ok(`${tried.length} of ${existing.length} tried, all answer`, facts);
  const { code, message, retryable, details } = first.error;
  const error = new HcmError(
    code,
    `${blocked.length} of ${tried.length} gateways cannot be reached: ${message}`,
    {
      retryable,
      details: { ...details, next: `hcm firewall ${way.host} --test` },
      cause: first.error,
    },
  );
  return failed(
    error,
    'The relay hands out the addresses of its gateways: with the namespace alone, a listener gets online and no stream through.',
    facts,
  );
}

/** So many of them, from first to last. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  const last = items.length - 1;
  return Array.from({ length: count }, (_, index) => items[Math.round((index * last) / (count - 1))] as T);
}
