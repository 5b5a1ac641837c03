/** May a namespace have this name? Asked of a subscription, or of nobody in particular. */
import { findByName } from '../../state.ts';
import { textIn } from '../body.ts';
import type { ArmContext } from '../context.ts';
import { invalidRequestContent } from '../arm-error.ts';
import type { ArmRequest, ArmRoute } from '../router.ts';
import { SUBSCRIPTION } from './look-up.ts';
import { isNamespaceName } from './namespace-body.ts';
import { providerAnswer } from './provider-answer.ts';
import { hasNetwork } from './relay-versions.ts';

export function nameAvailabilityRoutes(context: ArmContext): ArmRoute[] {
  const patterns = [
    `${SUBSCRIPTION}/checkNameAvailability`,
    '/providers/Microsoft.Relay/checkNameAvailability',
  ];
  return patterns.map((pattern) => ({
    method: 'POST',
    pattern,
    handle: (request) => providerAnswer(context, request, 200, availability(context, request)),
  }));
}

function availability({ state }: ArmContext, { body, apiVersion }: ArmRequest): object {
  const name = textIn(body, 'name') ?? textIn(body, 'namespaceName');
  if (name === undefined) throw invalidRequestContent("Required property 'name' not found in JSON.");
  if (!isNamespaceName(name)) {
    const message =
      'The specified name is not valid. It has 6 to 50 letters, digits and hyphens, begins with a letter, ends in a letter or digit, and does not end in a reserved word.';
    return { nameAvailable: false, reason: 'InvalidName', message };
  }
  if (findByName(state.namespaces, name) !== undefined) {
    return { nameAvailable: false, reason: 'NameInUse', message: 'The specified name is not available.' };
  }
  const message = hasNetwork(apiVersion) ? 'Namespace name available' : null;
  return { nameAvailable: true, reason: 'None', message };
}
