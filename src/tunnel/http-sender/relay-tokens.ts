/** The token of each request, and what a refused one teaches: its key may have been renewed, or our clock is behind. */
import type { HcmError } from '../../protocol/errors.ts';
import type { Sender } from '../sender.ts';
import { isStaleToken, mayTryNewerToken, type Token } from '../token-provider.ts';

export class RelayTokens {
  readonly #sender: Sender;
  /** The tokens that were turned down before the last renewal. */
  #renewals = 0;
  readonly #madeAt = new WeakMap<Token, number>();

  /** @param sender its tokens are cached already. */
  constructor(sender: Sender) {
    this.#sender = sender;
  }

  /** Undefined for an anonymous sender. Rejects with HcmError. */
  async token(): Promise<Token | undefined> {
    const { tokens, endpoint, path } = this.#sender.connection;
    this.#sender.tellClock();
    const renewals = this.#renewals;
    const token = await tokens?.token({ host: endpoint.host, path });
    if (token && !this.#madeAt.has(token)) this.#madeAt.set(token, renewals);
    return token;
  }

  /**
   * The relay refused `token`. True when a newer one can be had: of many requests that are refused at once with the same
   * token, the first asks for it.
   */
  refused(error: HcmError, token: Token | undefined): boolean {
    if (token === undefined || !isStaleToken(error.code)) return false;
    if ((this.#madeAt.get(token) ?? 0) < this.#renewals) return true;
    const { connection } = this.#sender;
    if (!this.#sender.learnTime(error) && !mayTryNewerToken(connection.tokens, error.code)) return false;
    this.#renewals += 1;
    return true;
  }
}
