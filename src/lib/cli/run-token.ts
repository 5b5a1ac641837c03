/** Shows a token: it alone on stdout, so that a script needs no more than that; what there is to say on stderr. */
import { HcmError } from '../../protocol/errors.ts';
import { RELAY_HEADERS } from '../../protocol/headers.ts';
import type { Connection } from '../../tunnel/options.ts';
import type { RelayRight } from '../services/connection-access.ts';
import { mintToken, type MintedToken } from '../services/token.ts';
import { formatDuration } from './durations.ts';
import type { Output } from './output.ts';

export interface TokenRun {
  connections: readonly Connection[];
  right: RelayRight;
  lifetimeMs: number | undefined;
  /** As the line of a header instead, for `curl -H @-`. */
  asHeader: boolean;
  json: boolean;
  /** Somebody reads both outputs: neither is a pipe or a file. */
  isWatched: boolean;
  /** What was typed behind `hcm token`. */
  argv: readonly string[];
  output: Output;
}

/** Who holds a token has the right for as long; longer than this is worth a thought. */
const LONG_LIFE_MS = 24 * 3_600_000;

export async function runToken(run: TokenRun): Promise<void> {
  const { right, lifetimeMs, output } = run;
  const token = await mintToken(onlyOne(run.connections), { right, lifetimeMs });
  if (token.kind === 'entra' && lifetimeMs !== undefined) {
    output.warn(`the life of a token is up to Entra ID: it is good until ${timeOf(token)}`);
  } else if (lifetimeMs !== undefined && lifetimeMs > LONG_LIFE_MS) {
    output.warn(
      `whoever gets this token has the right for ${formatDuration(lifetimeMs)}; only a new key takes it back`,
    );
  }
  if (run.json) return output.jsonWithSecrets(documentOf(token));
  output.answerWithSecrets(run.asHeader ? `${RELAY_HEADERS.authorization}: ${token.text}` : token.text);
  if (run.isWatched) sayMore(token, run);
}

function documentOf(token: MintedToken): object {
  const { text, kind, audience, rule, connection, url } = token;
  return {
    ...{ token: text, kind, expiresAt: timeOf(token) },
    ...(audience === undefined ? {} : { audience }),
    ...(rule === undefined ? {} : { rule }),
    ...{ connection, header: RELAY_HEADERS.authorization, url },
  };
}

/** The token itself goes from one program to the other unseen: it stands in no list of processes. */
function sayMore(token: MintedToken, { argv, right, output }: TokenRun): void {
  output.say(`Good until ${timeOf(token)}.`);
  if (right !== 'Send') return;
  const command = ['hcm token', ...argv.filter((text) => text !== '--header').map(quoted), '--header'];
  output.next(`${command.join(' ')} | curl -H @- ${token.url}`);
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function timeOf({ expiresAtMs }: MintedToken): string {
  return new Date(expiresAtMs).toISOString();
}

/** @throws HcmError HCM_USAGE */
function onlyOne<T>(items: readonly T[]): T {
  const [first] = items;
  if (first === undefined || items.length > 1) {
    throw new HcmError('HCM_USAGE', 'A token is for one hybrid connection: give one connection string.');
  }
  return first;
}
