/**
 * Names, as a diagnosis asks for them: addresses the way programs get them, and what only a DNS server tells (aliases,
 * whether a name exists). Injected, so that a test owns all names.
 */
import { lookup, Resolver } from 'node:dns/promises';

export interface Dns {
  /** The addresses, the way every program on this machine gets them. Rejects with Node's error. */
  addresses(host: string): Promise<readonly string[]>;
  /** What the name is an alias of, and that one in turn; empty when it is none, or when no server answers. */
  aliases(host: string): Promise<readonly string[]>;
  /** Whether a DNS server knows the name; undefined when none answers. */
  exists(host: string): Promise<boolean | undefined>;
}

/** A server that has not answered by then answers nobody; the second try is for a lost packet. */
const QUERY_TIMEOUT_MS = 2_000;
const QUERY_TRIES = 2;
/** Azure's chains have two or three; a circle must end. */
const MAX_ALIASES = 8;
const UNKNOWN_NAME = new Set(['ENOTFOUND', 'ENODATA']);

export function systemDns(): Dns {
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES });
  return {
    addresses: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    aliases: async (host) => {
      const chain: string[] = [];
      for (let name: string | undefined = host; name !== undefined && chain.length < MAX_ALIASES;) {
        const [next]: string[] = await resolver.resolveCname(name).catch(() => []);
        if (next !== undefined) chain.push(next.toLowerCase());
        name = next;
      }
      return chain;
    },
    exists: (host) =>
      resolver.resolve4(host).then(
        () => true,
        ({ code = '' }: NodeJS.ErrnoException) => (UNKNOWN_NAME.has(code) ? false : undefined),
      ),
  };
}
