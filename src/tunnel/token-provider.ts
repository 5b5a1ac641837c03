/** Tokens for the relay: made from a SAS key when asked, or handed in ready. */
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
  /** A token for this entity, made now. Rejects with HcmError. */
  token(entity: { host: string; path: string }): Promise<Token>;
  /** False for a ready-made token: asking again gives the same one. */
  readonly renewable: boolean;
}

/** Signs tokens with a rule's key. `lifetimeMs` defaults to an hour, as Microsoft's clients do. */
export function sasKeyTokens(
  key: { keyName: string; key: string },
  clock: Clock,
  lifetimeMs: number = TOKEN_LIFETIME_MS,
): TokenProvider {
  return {
    renewable: true,
    token({ host, path }) {
      const expiresAtMs = clock.nowMs() + lifetimeMs;
      return Promise.resolve({
        text: signSasToken({ resource: sasResource(host, path), ...key, expiresAtMs }),
        expiresAtMs,
      });
    },
  };
}

/** A SAS token that somebody else signed: no key on this machine, and no renewal. Throws HcmError when malformed. */
export function readySasToken(text: string): TokenProvider {
  const { expiresAtMs } = parseSasToken(text);
  return { renewable: false, token: () => Promise.resolve({ text, expiresAtMs }) };
}

/** Asks `tokens` again only when a token has lived most of its life: a sender needs one for every stream. */
export function cachedTokens(tokens: TokenProvider, clock: Clock): TokenProvider {
  const kept = new Map<string, { token: Token; freshUntilMs: number }>();
  return {
    renewable: tokens.renewable,
    async token(entity) {
      const key = `${entity.host}/${entity.path}`;
      const nowMs = clock.nowMs();
      const known = kept.get(key);
      if (known && nowMs < known.freshUntilMs) return known.token;
      const token = await tokens.token(entity);
      kept.set(key, { token, freshUntilMs: nowMs + (token.expiresAtMs - nowMs) * TOKEN_RENEW_FRACTION });
      return token;
    },
  };
}
