/**
 * App Service's own errors, in its own shape. Texts and numbers are as recorded or reported, unless a line says that
 * nobody has shown one.
 */
import { ArmError } from '../arm-error.ts';
import { WEB_HEADERS } from './web-request.ts';

/** `kind` is App Service's word: `WebSite`, `ServerFarm`. */
export function notFound(kind: string, name: string): ArmError {
  return webError(404, 'NotFound', '51004', 'Cannot find {0} with name {1}.', kind, name);
}

export function invalidParameter(name: string): ArmError {
  return webError(400, 'BadRequest', '01007', 'The parameter {0} has an invalid value.', name);
}

export function siteExists(name: string): ArmError {
  return webError(409, 'Conflict', '54001', 'Website with given name {0} already exists.', name);
}

/** What checkNameAvailability says of an app that is there. */
export function hostNameTaken(name: string): string {
  return `Hostname '${name}' already exists. Please select a different name.`;
}

export function planInUse(plan: string, sites: readonly string[]): ArmError {
  const template = "Server farm '{0}' cannot be deleted because it has web app(s) {1} assigned to it.";
  return webError(409, 'Conflict', '11003', template, plan, sites.join(','));
}

/** Status and number are not known from Azure. */
export function slotsExceeded(tier: string): ArmError {
  const template =
    "Cannot complete the operation because the site will exceed the number of slots allowed for the '{0}' SKU.";
  return webError(409, 'Conflict', '59301', template, tier);
}

/** The text is azure-cli#30190's; status and number are not known from Azure. */
export function connectionsExceeded(maximum: number): ArmError {
  const template =
    'Adding a Hybrid Connection failed because it would exceed the allowed amount of {0} connections';
  return webError(400, 'BadRequest', '59911', template, String(maximum));
}

/** Azure's answer to changes that come too fast one after the other: in the body alone, without Retry-After. */
export function exclusiveLock(what: 'site' | 'server farm'): ArmError {
  const deed = what === 'site' ? 'create, update or delete this site' : 'create or update this server farm';
  return webError(429, '429', '59206', `Cannot acquire exclusive lock to ${deed}. Retry the request later.`);
}

function webError(
  status: number,
  code: string,
  extendedCode: string,
  messageTemplate: string,
  ...parameters: string[]
): ArmError {
  const message = messageTemplate.replace(/\{(\d)\}/g, (_, at: string) => parameters[Number(at)] ?? '');
  return new ArmError(status, code, message, {
    ...{ shape: 'web', headers: { ...WEB_HEADERS, 'Content-Type': 'application/json' } },
    ...{ extendedCode, messageTemplate, parameters },
  });
}
