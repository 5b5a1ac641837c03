/** Tokens for the relay: made from a SAS key when asked, got from Entra, or handed in ready. */
import type { ErrorCode } from '../protocol/errors.ts';
import { TOKEN_LIFETIME_MS, TOKEN_RENEW_FRACTION } from '../protocol/limits.ts';
import { parseSasToken, sasResource, signSasToken } from '../protocol/sas-token.ts';
import type { Clock } from './clock.ts';

export interface Token {
  /** As the relay wants it: a SAS token or a bare JWT. */
  text: string;
  /** ms since 1970. */
  expiresAtMs: number;
}

export interface TokenProvider {
  /**
   * A token for this entity, made now. Rejects with HcmError.
   * @param entity.lifetimeMs for how long, where that is ours to say: with a key. Default: the provider's own.
   * @param entity.behindMs how far our clock is behind the one that judges the token. `expiresAtMs` stays ours.
   */
  token(entity: {
    host: string;
    path: string;
    lifetimeMs?: number | undefined;
    behindMs?: number | undefined;
  }): Promise<Token>;
  /** False for a ready-made token: asking again gives the same one. */
  readonly renewable: boolean;
  /**
   * The relay turned a token down: what it was made from may be stale. True when the next token is made from something
   * newer, so that another try at once makes sense.
   */
  refused?(): boolean;
}

export interface SasKey {
  keyName: string;
  key: string;
}

/** Signs tokens with a rule's key. `lifetimeMs` defaults to an hour, as Microsoft's clients do. */
export function sasKeyTokens(
  key: SasKey,
  clock: Clock,
  lifetimeMs: number = TOKEN_LIFETIME_MS,
): TokenProvider {
  return {
    renewable: true,
    token({ host, path, lifetimeMs: asked, behindMs = 0 }) {
      const expiresAtMs = clock.nowMs() + (asked ?? lifetimeMs);
      const resource = sasResource(host, path);
      const text = signSasToken({ resource, ...key, expiresAtMs: expiresAtMs + behindMs });
      return Promise.resolve({ text, expiresAtMs });
    },
  };
}

/** After a refusal a key is asked for again, and then not before this long: what is refused still is wrong, not old. */
const ASK_AGAIN_MS = 5_000;

/** As `sasKeyTokens`, with a key that `lookUp` brings, and brings again when the relay refuses it: it was renewed. */
export function lookedUpKeyTokens(lookUp: () => Promise<SasKey>, clock: Clock): TokenProvider {
  let kept: Promise<TokenProvider> | undefined;
  let refusedAtMs = -Infinity;
  const ask = () => {
    const asked = lookUp().then((key) => sasKeyTokens(key, clock));
    // A failed look-up is not kept.
    asked.catch(() => (kept = kept === asked ? undefined : kept));
    return (kept = asked);
  };
  return {
    renewable: true,
    token: async (entity) => (await (kept ?? ask())).token(entity),
    refused() {
      const nowMs = clock.monotonicMs();
      if (nowMs - refusedAtMs < ASK_AGAIN_MS) return false;
      refusedAtMs = nowMs;
      kept = undefined;
      return true;
    },
  };
}

/** Entra tokens (bare JWTs) for the relay's audience. `getToken` caches and renews them. */
export function entraTokens(getToken: () => Promise<Token>): TokenProvider {
  return { renewable: true, token: () => getToken() };
}

/** A SAS token that somebody else signed: no key on this machine, and no renewal. Throws HcmError when malformed. */
export function readySasToken(text: string): TokenProvider {
  const { expiresAtMs } = parseSasToken(text);
  return { renewable: false, token: () => Promise.resolve({ text, expiresAtMs }) };
}

export interface CachedTokens extends TokenProvider {
  /** The next token is made anew, from what was there before. */
  forget(): void;
}

/** Asks `tokens` again only when a token has lived most of its life: a sender needs one for every stream. */
export function cachedTokens(tokens: TokenProvider, clock: Clock): CachedTokens {
  const kept = new Map<string, { token: Token; freshForMs: number; nowMs: number; elapsedMs: number }>();
  return {
    renewable: tokens.renewable,
    async token(entity) {
      const key = `${entity.host}/${entity.path}`;
      const [nowMs, elapsedMs] = [clock.nowMs(), clock.monotonicMs()];
      const known = kept.get(key);
      // A clock that was set back makes nothing younger; elapsed time may not have counted a sleep.
      const age = (of: { nowMs: number; elapsedMs: number }) =>
        Math.max(nowMs - of.nowMs, elapsedMs - of.elapsedMs);
      if (known && age(known) < known.freshForMs) return known.token;
      const token = await tokens.token(entity);
      const freshForMs = (token.expiresAtMs - nowMs) * TOKEN_RENEW_FRACTION;
      kept.set(key, { token, freshForMs, nowMs, elapsedMs });
      return token;
    },
    forget: () => kept.clear(),
    refused() {
      kept.clear();
      return tokens.refused?.() ?? false;
    },
  };
}

/** Refusals that a renewed key explains. */
const STALE_KEY: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['HCM_TOKEN_SIGNATURE', 'HCM_UNAUTHORIZED']);

/** The relay's refusal may mean that the key was renewed. */
export function isStaleKey(code: ErrorCode): boolean {
  return STALE_KEY.has(code);
}

/** The same, or that our clock was wrong when it was made. */
export function isStaleToken(code: ErrorCode): boolean {
  return isStaleKey(code) || code === 'HCM_CLOCK_SKEW';
}

/** Tells `tokens` when the relay refused what they gave. True when another try at once makes sense. */
export function mayTryNewerToken(tokens: TokenProvider | undefined, code: ErrorCode): boolean {
  return isStaleKey(code) && (tokens?.refused?.() ?? false);
}
