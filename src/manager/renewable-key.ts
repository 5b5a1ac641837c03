/**
 * Tokens from a key that may be replaced while a tunnel runs: by whoever saw that it was changed, or by reading it again when
 * the relay refuses what it signs.
 */
import type { Clock } from '../tunnel/clock.ts';
import type { Connection } from '../tunnel/options.ts';
import type { Token, TokenProvider } from '../tunnel/token-provider.ts';

/** What is refused still, right after it was read, is wrong and not old. */
const READ_AGAIN_MS = 5_000;

class RenewableKey implements TokenProvider {
  readonly #read: () => Promise<TokenProvider>;
  readonly #clock: Clock;
  #tokens: TokenProvider;
  #isStale = false;
  #refusedAtMs = -Infinity;

  constructor(tokens: TokenProvider, read: () => Promise<TokenProvider>, clock: Clock) {
    this.#tokens = tokens;
    this.#read = read;
    this.#clock = clock;
  }

  get renewable(): boolean {
    return this.#tokens.renewable;
  }

  async token(entity: Parameters<TokenProvider['token']>[0]): Promise<Token> {
    if (this.#isStale) this.replace(await this.#read());
    return this.#tokens.token(entity);
  }

  refused(): boolean {
    if (this.#tokens.refused) return this.#tokens.refused();
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#refusedAtMs < READ_AGAIN_MS) return false;
    this.#refusedAtMs = nowMs;
    this.#isStale = true;
    return true;
  }

  replace(tokens: TokenProvider): void {
    this.#tokens = tokens;
    this.#isStale = false;
  }
}

/**
 * The same connection with a key that can be replaced. `renewKey` reads it again; false: what is there now is another
 * connection, or none with a key. Rejects with HcmError when it cannot be read: the old one goes on to count.
 */
export function withRenewableKey(
  connection: Connection,
  read: () => Promise<Connection>,
  clock: Clock,
): { connection: Connection; renewKey: () => Promise<boolean> } {
  const { tokens: first, endpoint, path } = connection;
  if (!first) return { connection, renewKey: () => Promise.resolve(false) };
  const tokens = new RenewableKey(first, async () => (await read()).tokens ?? first, clock);
  return {
    connection: { ...connection, tokens },
    renewKey: async () => {
      const now = await read();
      const isSame = now.endpoint.host === endpoint.host && now.endpoint.port === endpoint.port;
      if (!now.tokens || !isSame || now.path !== path) return false;
      tokens.replace(now.tokens);
      return true;
    },
  };
}
