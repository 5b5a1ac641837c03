/**
 * One token for all clients of a command. The session of the az CLI starts a process for each token that is asked
 * for, and each client of the SDK asks for its own.
 */
import type { AccessToken, TokenCredential } from '@azure/core-auth';

/** A token that ends sooner is asked for again. */
const LEAST_LIFE_MS = 300_000;

export function shareTokens(credential: TokenCredential, nowMs: () => number = Date.now): TokenCredential {
  const known = new Map<string, Promise<AccessToken | null>>();
  const fetch = (key: string, ask: () => Promise<AccessToken | null>) => {
    const asked = ask();
    known.set(key, asked);
    asked.catch(() => known.delete(key));
    return asked;
  };
  return {
    async getToken(scopes, options) {
      const key = JSON.stringify([scopes, options?.tenantId]);
      const ask = () => credential.getToken(scopes, options);
      // Claims mean that the last token was refused.
      if (options?.claims !== undefined) return fetch(key, ask);
      const last = known.get(key);
      const token = await last;
      if (token && token.expiresOnTimestamp - nowMs() > LEAST_LIFE_MS) return token;
      // Somebody else may have asked meanwhile.
      const newer = known.get(key);
      return newer !== undefined && newer !== last ? newer : fetch(key, ask);
    },
  };
}
