/** `grant_type=refresh_token`: a person's next tokens, for the same resource or another. */
import { AadstsError } from './aadsts.ts';
import { clientForPerson } from './clients.ts';
import { need, type EntraAnswer, type EntraRequest } from './exchange.ts';
import type { Issuer } from './issuer.ts';
import { answerPerson, askedOf } from './token-answer.ts';

export async function refresh(issuer: Issuer, request: EntraRequest): Promise<EntraAnswer> {
  const { state } = issuer.context;
  const client = await clientForPerson(issuer, request);
  const token = issuer.readRefreshToken(need(request.form, 'refresh_token'));
  if (token === undefined || token.clientId !== client.clientId)
    throw new AadstsError(70000, 'refresh_token');
  if (token.expired) throw new AadstsError(700082);
  const user = state.principals.find(({ objectId }) => objectId === token.objectId);
  if (user === undefined) throw new AadstsError(50173);
  return answerPerson(issuer, request, client, { user, asked: askedOf(request, request.form) });
}
