/** Authorization rules and their keys, of namespaces and of hybrid connections alike. */
import { createKey, createRule, findByName, RIGHTS, type Right, type RuleState } from '../../state.ts';
import { invalidRequestContent } from '../arm-error.ts';
import { recordIn, textIn } from '../body.ts';
import type { ArmContext } from '../context.ts';
import type { ArmAnswer, ArmRequest, ArmRoute } from '../router.ts';
import { badRequest, CONNECTION, entityNotFound, findRuleOwner, NAMESPACE } from './look-up.ts';
import { keysView, namespaceHost, portOf, ruleView, type RuleOwner } from './relay-view.ts';

const HEADERS = { Server: 'Microsoft-HTTPAPI/2.0' };
/** Of one namespace or connection (Azure's limits of Service Bus and Relay). */
const MAX_RULES = 12;
const KEY_BYTES = 32;
const RULE_NAME = /^[a-z0-9](?:[a-z0-9._-]{0,254}[a-z0-9])?$/i;

export function ruleRoutes(context: ArmContext): ArmRoute[] {
  return [NAMESPACE, CONNECTION].flatMap((owner) => routesUnder(context, `${owner}/authorizationRules`));
}

function routesUnder(context: ArmContext, rules: string): ArmRoute[] {
  const rule = `${rules}/{rule}`;
  return [
    {
      ...{ method: 'GET', pattern: rules },
      handle(request) {
        const owner = findRuleOwner(context, request);
        return ok({ value: owner.rules.map((one) => ruleView(owner, one, false)) });
      },
    },
    {
      ...{ method: 'GET', pattern: rule },
      handle(request) {
        const { owner, found } = findRule(context, request);
        return ok(ruleView(owner, found, false));
      },
    },
    { method: 'PUT', pattern: rule, handle: (request) => putRule(context, request) },
    { method: 'DELETE', pattern: rule, handle: (request) => deleteRule(context, request) },
    {
      ...{ method: 'POST', pattern: `${rule}/listKeys` },
      handle(request) {
        const { owner, found } = findRule(context, request);
        return ok(keysOf(context, request, owner, found));
      },
    },
    { method: 'POST', pattern: `${rule}/regenerateKeys`, handle: (request) => regenerate(context, request) },
  ];
}

/** The rights are replaced; the keys of a rule that is there stay. [rec] */
function putRule(context: ArmContext, request: ArmRequest): ArmAnswer {
  const owner = findRuleOwner(context, request);
  const { rules } = owner;
  const name = request.params['rule'] ?? '';
  const rights = rightsIn(request.body);
  let rule = findByName(rules, name);
  if (rule === undefined) {
    if (!RULE_NAME.test(name))
      throw badRequest(`The specified authorization rule name '${name}' is invalid.`);
    if (rules.length >= MAX_RULES) throw badRequest(`There can be at most ${MAX_RULES} authorization rules.`);
    rule = createRule(name, rights);
    rules.push(rule);
    context.changed();
  } else if (rule.rights.join() !== rights.join()) {
    rule.rights = rights;
    context.changed();
  }
  return ok(ruleView(owner, rule, true));
}

function deleteRule(context: ArmContext, request: ArmRequest): ArmAnswer {
  const { rules } = findRuleOwner(context, request);
  const rule = findByName(rules, request.params['rule'] ?? '');
  if (rule === undefined) return { status: 204, headers: HEADERS };
  rules.splice(rules.indexOf(rule), 1);
  context.changed();
  return { status: 200, headers: HEADERS };
}

/** A new key, or the one that is given. */
function regenerate(context: ArmContext, request: ArmRequest): ArmAnswer {
  const { owner, found } = findRule(context, request);
  const keyType = textIn(request.body, 'keyType')?.toLowerCase();
  if (keyType !== 'primarykey' && keyType !== 'secondarykey') {
    throw badRequest("The keyType has to be 'PrimaryKey' or 'SecondaryKey'.");
  }
  const given = textIn(request.body, 'key');
  if (given !== undefined && Buffer.from(given, 'base64').length !== KEY_BYTES) {
    throw badRequest(`The key has to be the base64 text of ${KEY_BYTES} bytes.`);
  }
  found[keyType === 'primarykey' ? 'primaryKey' : 'secondaryKey'] = given ?? createKey();
  context.changed();
  return ok(keysOf(context, request, owner, found));
}

function keysOf(
  { behaviour }: ArmContext,
  { baseUrl }: ArmRequest,
  owner: RuleOwner,
  rule: RuleState,
): object {
  const host = behaviour.namespaceHost === 'own' ? namespaceHost(owner.namespace) : 'localhost';
  return keysView(owner, rule, host, portOf(baseUrl));
}

function findRule(
  context: ArmContext,
  request: ArmRequest,
): { owner: ReturnType<typeof findRuleOwner>; found: RuleState } {
  const owner = findRuleOwner(context, request);
  const name = request.params['rule'] ?? '';
  const found = findByName(owner.rules, name);
  if (found === undefined) throw entityNotFound(name);
  return { owner, found };
}

/** At least one; Manage only together with the other two. */
function rightsIn(body: unknown): Right[] {
  const { rights } = recordIn(body, 'properties');
  if (!Array.isArray(rights)) throw invalidRequestContent("Required property 'rights' expects a list.");
  const known = rights.map((right: unknown) => {
    const found = RIGHTS.find((one) => one.toLowerCase() === String(right).toLowerCase());
    if (found === undefined) throw badRequest(`'${String(right)}' is no right: ${RIGHTS.join(', ')} are.`);
    return found;
  });
  const distinct = [...new Set(known)];
  if (distinct.length === 0) throw badRequest('An authorization rule has at least one right.');
  if (distinct.includes('Manage') && distinct.length < RIGHTS.length) {
    throw badRequest('Manage permission should also include Send and Listen.');
  }
  return distinct;
}

function ok(body: object): ArmAnswer {
  return { status: 200, headers: HEADERS, body };
}
