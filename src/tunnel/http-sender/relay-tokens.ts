/** The token of each request, and what a refused one teaches: its key may have been renewed. */
import type { ErrorCode } from '../../protocol/errors.ts';
import type { Connection } from '../options.ts';
import { isStaleKey, mayTryNewerToken, type Token } from '../token-provider.ts';

export class RelayTokens {
  readonly #connection: Connection;
  /** The tokens that were turned down before the last renewal. */
  #renewals = 0;
  readonly #madeAt = new WeakMap<Token, number>();

  /** @param connection its tokens are cached already. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Undefined for an anonymous sender. Rejects with HcmError. */
  async token(): Promise<Token | undefined> {
    const { tokens, endpoint, path } = this.#connection;
    const renewals = this.#renewals;
    const token = await tokens?.token({ host: endpoint.host, path });
    if (token && !this.#madeAt.has(token)) this.#madeAt.set(token, renewals);
    return token;
  }

  /**
   * The relay refused `token`. True when a newer one can be had: of many requests that are refused at once with the same
   * token, the first asks for it.
   */
  refused(code: ErrorCode, token: Token | undefined): boolean {
    if (token === undefined || !isStaleKey(code)) return false;
    if ((this.#madeAt.get(token) ?? 0) < this.#renewals) return true;
    if (!mayTryNewerToken(this.#connection.tokens, code)) return false;
    this.#renewals += 1;
    return true;
  }
}
