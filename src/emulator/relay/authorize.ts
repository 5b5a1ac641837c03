/** Puts the question "may this client do that" to the rules of the entity that its request means. */
import { TOKEN_LIFETIME_MS } from '../../protocol/limits.ts';
import { sasResource, signSasToken } from '../../protocol/sas-token.ts';
import type { NamespaceState, Right } from '../state.ts';
import { authenticate, ruleOfRawKey, type Verdict } from './authenticate.ts';
import type { RelayContext, RelayEntity } from './context.ts';
import type { AskedHost } from './handshake.ts';
import type { Resolution } from './registry.ts';
import type { ControlChannel } from './control-channel.ts';

export interface Credentials {
  readonly token?: string | undefined;
  /** A key in the clear, as the URL of a sender may carry it; both or neither. */
  readonly sasKeyName?: string | undefined;
  readonly sasKey?: string | undefined;
}

/** Tries every namespace that the request may mean; the last refusal counts when none says yes. */
export function authorize(
  context: RelayContext,
  resolution: Resolution<ControlChannel>,
  asked: AskedHost,
  path: string,
  credentials: Credentials,
  rights: readonly Right[],
): Verdict {
  let verdict: Verdict = { ok: false, condition: 'token-signature' };
  for (const namespace of resolution.namespaces) {
    const entityRules = resolution.entity?.connection.rules ?? [];
    const token = tokenOf(context, credentials, namespace, resolution.entity, asked.host, path);
    if (token === 'malformed') return { ok: false, condition: 'token-malformed' };
    verdict = authenticate({
      token,
      rights,
      entityRules,
      namespaceRules: namespace.rules,
      hosts: context.registry.aliasesOf(namespace, asked.host),
      path,
      nowMs: context.nowMs(),
      minValidityMs: context.behaviour.connectMinValidityMs,
    });
    if (verdict.ok) return verdict;
  }
  return verdict;
}

/** The token; or one made from a raw key, as the service does for the undocumented `sb-hc-sas-key` parameters. */
function tokenOf(
  context: RelayContext,
  { token, sasKeyName, sasKey }: Credentials,
  namespace: NamespaceState,
  entity: RelayEntity | undefined,
  host: string,
  path: string,
): string | undefined {
  if (token !== undefined || (sasKeyName === undefined && sasKey === undefined)) return token;
  if (sasKeyName === undefined || sasKey === undefined) return 'malformed';
  const rules = [...(entity?.connection.rules ?? []), ...namespace.rules];
  const rule = ruleOfRawKey(sasKeyName, sasKey, rules);
  return signSasToken({
    resource: sasResource(host, path),
    keyName: rule?.name ?? sasKeyName,
    key: sasKey,
    expiresAtMs: context.nowMs() + TOKEN_LIFETIME_MS,
  });
}
