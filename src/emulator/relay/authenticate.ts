/**
 * May the bearer of this token do this here? Shared access signatures against the rules of an entity and of its
 * namespace, tokens of Entra ID against the roles of their bearer, as the service judges them. Says yes until when, or
 * which of the relay's errors it is.
 */
import { timingSafeEqual } from 'node:crypto';
import { HcmError } from '../../protocol/errors.ts';
import type { RelayCondition } from '../../protocol/relay-answers.ts';
import {
  audienceCovers,
  parseSasToken,
  verifySasSignature,
  type ParsedSasToken,
} from '../../protocol/sas-token.ts';
import type { DirectoryState } from '../entra-state.ts';
import { RELAY_AUDIENCES } from '../entra/resources.ts';
import { allows } from '../entra/roles.ts';
import { checkAccessToken, type TokenFault } from '../entra/verify.ts';
import type { Right, RuleState } from '../state.ts';

export interface AuthenticationRequest {
  readonly token: string | undefined;
  /** One of these is enough. */
  readonly rights: readonly Right[];
  readonly entityRules: readonly RuleState[];
  readonly namespaceRules: readonly RuleState[];
  /** Every host that the token may name. */
  readonly hosts: readonly string[];
  /** The requested path, decoded, with suffix. */
  readonly path: string;
  readonly nowMs: number;
  /** What must be left of the token's life. */
  readonly minValidityMs: number;
}

export type Verdict =
  | { readonly ok: true; readonly expiresAtMs: number }
  | { readonly ok: false; readonly condition: RelayCondition };

/** Signature first: whoever cannot sign learns nothing about audience, expiry or rights. */
export function authenticate(request: AuthenticationRequest): Verdict {
  if (request.token === undefined || request.token.trim() === '') return refuse('token-missing');
  const known = verified.get(request.token);
  const token = known?.token ?? parse(request.token);
  if (token === undefined) return refuse('token-malformed');
  const signs = (key: string) => known?.key === key || verifySasSignature(token, key);
  const [rule, key] =
    signerOf(token, request.entityRules, signs) ?? signerOf(token, request.namespaceRules, signs) ?? [];
  if (rule === undefined || key === undefined) return refuse('token-signature');
  if (known === undefined) remember(request.token, { token, key });
  if (!audienceCovers(token.resource, request.hosts, request.path)) return refuse('token-audience');
  const leftMs = token.expiresAtMs - request.nowMs;
  if (leftMs <= 0 || leftMs < request.minValidityMs) return refuse('token-expired');
  if (!request.rights.some((right) => grants(rule, right))) return refuse('right-missing');
  return { ok: true, expiresAtMs: token.expiresAtMs };
}

export interface BearerRequest {
  /** The bare token. */
  readonly token: string;
  /** One of these is enough. */
  readonly rights: readonly Right[];
  readonly directory: DirectoryState;
  /** The resource id of what the token is shown to. */
  readonly scope: string;
  readonly nowMs: number;
  readonly minValidityMs: number;
}

/** The same for a token of Entra ID. Its audience is the service as a whole; where it is good, roles say. */
export function authenticateBearer(request: BearerRequest): Verdict {
  const { token, rights, directory: state, scope, nowMs, minValidityMs } = request;
  const checked = checkAccessToken({ state, nowMs: () => nowMs }, token, RELAY_AUDIENCES);
  if ('fault' in checked) return refuse(BEARER_CONDITIONS[checked.fault]);
  const { caller, expiresAtMs } = checked;
  if (expiresAtMs - nowMs < minValidityMs) return refuse('token-expired');
  const may = (right: Right) => {
    const action = `Microsoft.Relay/namespaces/hybridConnections/${right.toLowerCase()}/action`;
    return allows(caller.roles, action, scope, 'data');
  };
  return rights.some(may) ? { ok: true, expiresAtMs } : refuse('right-missing');
}

const BEARER_CONDITIONS: Readonly<Record<TokenFault, RelayCondition>> = {
  missing: 'token-missing',
  malformed: 'token-malformed',
  signature: 'token-signature',
  tenant: 'token-signature',
  revoked: 'token-signature',
  audience: 'token-audience',
  expired: 'token-expired',
};

/** The rule with this name and key, for clients that put the raw key into the URL; undefined when there is none. */
export function ruleOfRawKey(
  keyName: string,
  key: string,
  rules: readonly RuleState[],
): RuleState | undefined {
  return named(keyName, rules).find((rule) =>
    [rule.primaryKey, rule.secondaryKey].some((known) => sameText(known, key)),
  );
}

function parse(text: string): ParsedSasToken | undefined {
  try {
    return parseSasToken(text);
  } catch (error) {
    if (error instanceof HcmError) return undefined;
    throw error;
  }
}

/** The rule whose name the token has and one of whose keys signs it, with that key. */
function signerOf(
  token: ParsedSasToken,
  rules: readonly RuleState[],
  signs: (key: string) => boolean,
): readonly [rule: RuleState, key: string] | undefined {
  for (const rule of named(token.keyName, rules)) {
    const key = [rule.primaryKey, rule.secondaryKey].find(signs);
    if (key !== undefined) return [rule, key];
  }
  return undefined;
}

interface VerifiedToken {
  readonly token: ParsedSasToken;
  /** The key that signed it: once it is no key of the rule any more, the token is judged anew. */
  readonly key: string;
}

/** A sender shows one token for all its streams: whose signature it bears is worked out once. The oldest goes first. */
const verified = new Map<string, VerifiedToken>();
const VERIFIED_MAX = 256;

function remember(text: string, found: VerifiedToken): void {
  const [oldest] = verified.keys();
  if (verified.size === VERIFIED_MAX && oldest !== undefined) verified.delete(oldest);
  verified.set(text, found);
}

function named(keyName: string, rules: readonly RuleState[]): RuleState[] {
  return rules.filter(({ name }) => name.toLowerCase() === keyName.toLowerCase());
}

/** Azure grants Manage only together with the other two. */
function grants(rule: RuleState, right: Right): boolean {
  return rule.rights.includes(right) || rule.rights.includes('Manage');
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function refuse(condition: RelayCondition): Verdict {
  return { ok: false, condition };
}
