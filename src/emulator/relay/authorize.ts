/** Puts the question "may this client do that" to the rules of the entity that its request means, or to its roles. */
import { TOKEN_LIFETIME_MS } from '../../protocol/limits.ts';
import { isSasToken, sasResource, signSasToken, stripBearer } from '../../protocol/sas-token.ts';
import type { NamespaceState, Right } from '../state.ts';
import { authenticate, authenticateBearer, ruleOfRawKey, type Verdict } from './authenticate.ts';
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
    verdict =
      token !== undefined && isJwt(token)
        ? authenticateBearer({
            token: stripBearer(token),
            rights,
            directory: context.state,
            scope: scopeOf(namespace, resolution.entity),
            nowMs: context.nowMs(),
            minValidityMs: context.behaviour.connectMinValidityMs,
          })
        : authenticate({
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

/** Three parts, the first of which is the base64 of a JSON object. Everything else is judged as a signature. */
function isJwt(token: string): boolean {
  return !isSasToken(token) && /^ey[\w-]*\.[\w-]+\.[\w-]*$/.test(stripBearer(token));
}

/** The id that roles are given on. */
function scopeOf({ subscriptionId, resourceGroup, name }: NamespaceState, entity?: RelayEntity): string {
  const id = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Relay/namespaces/${name}`;
  return entity === undefined ? id : `${id}/hybridConnections/${entity.name}`;
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
