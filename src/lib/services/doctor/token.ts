/** Proof: the relay takes the token, and lets its bearer do what this machine is to do. */
import type { HcmError } from '../../../protocol/errors.ts';
import type { Case } from './proof.ts';
import { failed, ok, type Facts, type Finding } from './report.ts';
import { lacksRight, type Grant, type Rights, type TokenFacts } from './rights.ts';

export async function proveToken({ rights }: Case): Promise<Finding> {
  const found = await rights();
  const { listen, send, tokens } = found;
  const facts: Facts = {
    tokens,
    listen: listen.connection !== undefined,
    send: send.connection !== undefined,
  };
  const refusal = refusalOf(found);
  if (refusal !== undefined) return failed(refusal, meaningOf(found), facts);
  const may = [listen.connection && 'listen', send.connection && 'send'].filter(Boolean).join(' and ');
  const left = leftOut(found);
  return ok(`${describe(tokens)} may ${may}${left === '' ? '' : `; ${left}`}`, facts);
}

/** Why the token will not do: a right that this side needs, a token that is wrong, or no right at all. */
function refusalOf({ listen, send, side }: Rights): HcmError | undefined {
  const no = { listen: errorOf(listen), send: errorOf(send) };
  const needed = side === 'listener' ? no.listen : side === 'sender' ? no.send : undefined;
  if (needed !== undefined) return needed;
  // A second token that is wrong is a fault, even where the first would do.
  const wrong = [no.listen, no.send].find((error) => error !== undefined && !lacksRight(error));
  return wrong ?? (no.listen && no.send);
}

function meaningOf({ listen, send, side, tokens }: Rights): string | undefined {
  const who = describe(tokens);
  if (listen.connection === undefined && send.connection === undefined) return undefined;
  if (side === undefined) return undefined;
  const has = listen.connection === undefined ? 'send' : 'listen';
  return `${who} may ${has} only; the ${side}'s side needs the other right.`;
}

function errorOf(grant: Grant): HcmError | undefined {
  return grant.connection === undefined ? grant.error : undefined;
}

/** Which proofs cannot be had with these rights. */
function leftOut({ listen, send }: Rights): string {
  if (send.connection === undefined) return 'without Send no connection can be tried through the relay';
  if (listen.connection === undefined)
    return 'without Listen the description and its listeners cannot be read';
  return '';
}

function describe(tokens: readonly TokenFacts[]): string {
  const names = tokens.map(({ kind, rule }) =>
    kind === 'sas'
      ? `the rule ${rule ?? ''}`
      : kind === 'entra'
        ? 'the Entra ID token'
        : 'an anonymous sender',
  );
  return [...new Set(names)].join(' and ');
}
