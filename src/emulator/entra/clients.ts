/**
 * Which application asks for a token, and how it proves to be it: by a secret, by an assertion signed with its certificate, or
 * by a token of another issuer (workload identity federation). Nobody here can verify those issuers; see `federated`.
 */
import { timingSafeEqual } from 'node:crypto';
import { findClient, secretOf, type DirectoryState, type PrincipalState } from '../entra-state.ts';
import { AadstsError } from './aadsts.ts';
import { need, type EntraRequest } from './exchange.ts';
import type { ClientProof, Issuer } from './issuer.ts';
import { SKEW_S } from './verify.ts';

/** Microsoft's own tools, which have no secret: Azure CLI (and what signs in like it), Azure PowerShell, Visual Studio Code. */
const PUBLIC_CLIENTS: ReadonlySet<string> = new Set([
  '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
  '1950a258-227b-4e31-a9cf-717495945fc2',
  'aebc6443-996d-45c2-90f0-388ff96faa56',
]);

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** What a federated token must be for, in each cloud. */
const EXCHANGE_AUDIENCE = /^api:\/\/AzureADTokenExchange(?:USGov|China)?$/i;

export interface Client {
  readonly clientId: string;
  /** Undefined for Microsoft's own tools. */
  readonly principal: PrincipalState | undefined;
  readonly proof: ClientProof;
}

/** The client that a request names, known but not proved. @throws AadstsError 900144, 700016 */
export function namedClient(state: DirectoryState, parameters: URLSearchParams): Client {
  const clientId = need(parameters, 'client_id');
  const principal = findClient(state, clientId);
  if (principal === undefined && !PUBLIC_CLIENTS.has(clientId.toLowerCase())) {
    throw new AadstsError(700016, clientId);
  }
  return { clientId, principal, proof: '0' };
}

/** The client that signs in a person: one that has a secret must show it. @throws AadstsError */
export async function clientForPerson(issuer: Issuer, request: EntraRequest): Promise<Client> {
  const { state } = issuer.context;
  const parameters = credentials(request);
  const client = namedClient(state, parameters);
  const shows = parameters.has('client_secret') || parameters.has('client_assertion');
  const mustShow = client.principal !== undefined && secretOf(state, client.principal) !== undefined;
  return shows || mustShow ? provedClient(issuer, request) : client;
}

/** The client, when it has proved to be it. @throws AadstsError 7000215, 7000218, 700016 and those of assertions. */
export async function provedClient(
  issuer: Issuer,
  request: EntraRequest,
): Promise<Client & { principal: PrincipalState }> {
  const { state } = issuer.context;
  const parameters = credentials(request);
  const { clientId } = namedClient(state, parameters);
  const principal = findClient(state, clientId);
  if (principal === undefined) throw new AadstsError(700016, clientId);
  const secret = parameters.get('client_secret');
  if (secret !== null) {
    const known = secretOf(state, principal);
    if (known === undefined || !sameText(secret, known)) throw new AadstsError(7000215, clientId);
    return { clientId, principal, proof: '1' };
  }
  const assertion = parameters.get('client_assertion');
  if (assertion === null) throw new AadstsError(7000218);
  if (parameters.get('client_assertion_type') !== ASSERTION_TYPE) {
    throw new AadstsError(90023, 'client_assertion_type');
  }
  await checkAssertion(issuer, request, principal, assertion);
  return { clientId, principal, proof: '2' };
}

async function checkAssertion(
  issuer: Issuer,
  request: EntraRequest,
  principal: PrincipalState,
  assertion: string,
): Promise<void> {
  const { decodeJwt } = await import('jose');
  let claims: ReturnType<typeof decodeJwt>;
  try {
    claims = decodeJwt(assertion);
  } catch {
    throw new AadstsError(50027);
  }
  const { iss, sub, aud, exp, nbf } = claims;
  if (typeof iss !== 'string' || typeof sub !== 'string' || typeof exp !== 'number')
    throw new AadstsError(50027);
  if (exp <= issuer.nowS || (nbf ?? 0) > issuer.nowS + SKEW_S) throw new AadstsError(700024);
  if (iss === principal.clientId) return checkOwnAssertion(principal, assertion, issuer);
  const audiences = Array.isArray(aud) ? aud : [aud ?? ''];
  if (!audiences.some((audience) => EXCHANGE_AUDIENCE.test(audience)))
    throw new AadstsError(700212, audiences.join());
  federated(request, principal, sub);
}

/**
 * A token of GitHub, Kubernetes, Azure Pipelines … Its signature cannot be checked offline: whoever may have it made up is let
 * in from this machine only, as is everybody who can sign in without a secret.
 */
function federated({ isLocal }: EntraRequest, { federatedSubjects }: PrincipalState, subject: string): void {
  if (!isLocal) throw new AadstsError(53003);
  if (federatedSubjects !== undefined && !federatedSubjects.includes(subject)) {
    throw new AadstsError(700213, subject);
  }
}

/** Signed by the application itself, with a certificate that it is registered with. */
async function checkOwnAssertion(
  { certificates = [] }: PrincipalState,
  assertion: string,
  issuer: Issuer,
): Promise<void> {
  if (certificates.length === 0) throw new AadstsError(700027);
  const { importX509, jwtVerify } = await import('jose');
  for (const pem of certificates) {
    for (const algorithm of ['PS256', 'RS256']) {
      const key = await importX509(pem, algorithm);
      // When it is good has been looked at, with the same forgiveness.
      const options = {
        algorithms: [algorithm],
        currentDate: new Date(issuer.context.nowMs()),
        clockTolerance: SKEW_S,
      };
      const good = await jwtVerify(assertion, key, options).then(
        () => true,
        () => false,
      );
      if (good) return;
    }
  }
  throw new AadstsError(700030);
}

/** The form, with what an Authorization header of scheme Basic adds (RFC 6749, 2.3.1). */
function credentials({ form, header }: EntraRequest): URLSearchParams {
  const encoded = /^Basic +(\S+)$/i.exec(header('Authorization') ?? '')?.[1];
  if (encoded === undefined) return form;
  const [id = '', ...secret] = Buffer.from(encoded, 'base64').toString().split(':');
  const all = new URLSearchParams(form);
  const pair = new URLSearchParams(`client_id=${id}&client_secret=${secret.join(':')}`);
  for (const [name, value] of pair) all.set(name, value);
  return all;
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
