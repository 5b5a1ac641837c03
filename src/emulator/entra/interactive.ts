/**
 * Signing in with a browser: the authorize endpoint, which knows one made-up person and sends the code back at once (or after
 * a button), and the exchange of the code for tokens. Codes live in memory, ten minutes, and are good once.
 */
import { createHash, randomBytes } from 'node:crypto';
import { isLoopbackName } from '../../protocol/relay-hosts.ts';
import type { PrincipalState } from '../entra-state.ts';
import { AadstsError } from './aadsts.ts';
import { clientForPerson, namedClient } from './clients.ts';
import { need, type EntraAnswer, type EntraRequest } from './exchange.ts';
import { ExpiringMap } from './expiring-map.ts';
import type { Issuer } from './issuer.ts';
import { formPostPage, page, signInPage } from './pages.ts';
import { answerPerson, askedOf, type Asked } from './token-answer.ts';

const CODE_LIFETIME_MS = 600_000;

interface Code {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly challenge: string | undefined;
  readonly isPlain: boolean;
  readonly user: PrincipalState;
  readonly asked: Asked;
  readonly nonce: string | undefined;
  redeemed: boolean;
}

export class InteractiveSignIn {
  readonly #issuer: Issuer;
  readonly #codes: ExpiringMap<Code>;

  constructor(issuer: Issuer) {
    this.#issuer = issuer;
    this.#codes = new ExpiringMap(() => issuer.context.nowMs());
  }

  /** `/{tenant}/oauth2/v2.0/authorize`. What is wrong with client or address is said here, all else to the address. */
  authorize(request: EntraRequest): EntraAnswer {
    const { state, behaviour } = this.#issuer.context;
    const parameters = request.method === 'POST' ? request.form : request.query;
    const client = namedClient(state, parameters);
    const redirectUri = need(parameters, 'redirect_uri');
    if (!isOnThisMachine(redirectUri)) throw new AadstsError(50011, redirectUri);
    const respond = (fields: Record<string, string>) => answerTo(redirectUri, parameters, fields);
    try {
      if (!request.isLocal) throw new AadstsError(53003);
      if (parameters.get('response_type') !== 'code') throw new AadstsError(90023, 'response_type');
      const user = personOf(state.principals, parameters.get('login_hint'));
      const asked = askedOf(request, parameters);
      if (behaviour.signInPage && request.method !== 'POST') return signInPage(user, parameters);
      const code = this.#createCode(client.clientId, redirectUri, user, asked, parameters);
      return respond({ code, session_state: randomBytes(16).toString('hex') });
    } catch (error) {
      if (!(error instanceof AadstsError)) throw error;
      return respond({ error: error.error, error_description: error.message });
    }
  }

  /** `grant_type=authorization_code` */
  async redeem(request: EntraRequest): Promise<EntraAnswer> {
    const { form } = request;
    const client = await clientForPerson(this.#issuer, request);
    const code = this.#codes.get(need(form, 'code'));
    if (code === undefined || code.clientId !== client.clientId) throw new AadstsError(70008);
    if (code.redeemed) throw new AadstsError(54005);
    const redirectUri = form.get('redirect_uri') ?? '';
    if (redirectUri !== code.redirectUri) throw new AadstsError(500112, redirectUri, code.redirectUri);
    if (!isProved(code, form.get('code_verifier'))) throw new AadstsError(501481);
    code.redeemed = true;
    // The code's own scope, unless this request narrows it down.
    const asked = form.has('scope') ? askedOf(request, form) : code.asked;
    return answerPerson(this.#issuer, request, client, { user: code.user, asked, nonce: code.nonce });
  }

  #createCode(
    clientId: string,
    redirectUri: string,
    user: PrincipalState,
    asked: Asked,
    parameters: URLSearchParams,
  ): string {
    const method = parameters.get('code_challenge_method') ?? 'plain';
    if (method !== 'plain' && method !== 'S256') throw new AadstsError(90023, 'code_challenge_method');
    const code = randomBytes(32).toString('base64url');
    const details: Code = {
      ...{ clientId, redirectUri, user, asked, redeemed: false, isPlain: method === 'plain' },
      challenge: parameters.get('code_challenge') ?? undefined,
      nonce: parameters.get('nonce') ?? undefined,
    };
    this.#codes.set(code, details, CODE_LIFETIME_MS);
    return code;
  }
}

/** The made-up person, or the one that the client names. @throws AadstsError 50020 */
export function personOf(principals: readonly PrincipalState[], hint: string | null = null): PrincipalState {
  const people = principals.filter(({ type }) => type === 'User');
  const wanted = hint?.toLowerCase();
  const user =
    wanted === undefined || wanted === ''
      ? people[0]
      : people.find(({ userPrincipalName }) => userPrincipalName?.toLowerCase() === wanted);
  if (user === undefined) throw new AadstsError(50020, hint ?? '');
  return user;
}

function isProved({ challenge, isPlain }: Code, verifier: string | null): boolean {
  if (challenge === undefined) return verifier === null;
  if (verifier === null) return false;
  return challenge === (isPlain ? verifier : createHash('sha256').update(verifier).digest('base64url'));
}

/** Codes go nowhere but to programs of this machine. */
function isOnThisMachine(redirectUri: string): boolean {
  if (!URL.canParse(redirectUri)) return false;
  const { protocol, hostname, username } = new URL(redirectUri);
  return /^https?:$/.test(protocol) && username === '' && isLoopbackName(hostname);
}

function answerTo(
  redirectUri: string,
  parameters: URLSearchParams,
  fields: Readonly<Record<string, string>>,
): EntraAnswer {
  const state = parameters.get('state');
  const all = state === null ? fields : { ...fields, state };
  const mode = parameters.get('response_mode') ?? 'query';
  if (mode === 'form_post') return formPostPage(redirectUri, all);
  if (mode !== 'query' && mode !== 'fragment') {
    return page(400, 'Sign-in', `<p>The response mode is none of query, fragment, form_post.</p>`);
  }
  const url = new URL(redirectUri);
  if (mode === 'fragment') url.hash = new URLSearchParams(all).toString();
  else for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
  return { status: 302, headers: { Location: url.href } };
}
