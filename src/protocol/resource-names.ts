/**
 * What Azure lets one call a namespace, a hybrid connection, a rule, a resource group: checked before any call, since
 * the services themselves answer late and vaguely. Lengths and characters: learn.microsoft.com, "Naming rules and
 * restrictions for Azure resources"; resource groups also there. Pure.
 */
import { entityNameFault } from './entity-name.ts';
import { HcmError } from './errors.ts';

export type NamedResource = 'namespace' | 'connection' | 'rule' | 'resource group';

const NAMESPACE_MIN_CHARS = 6;
const NAMESPACE_MAX_CHARS = 50;
const RULE_MAX_CHARS = 50;
const RESOURCE_GROUP_MAX_CHARS = 90;

/** Each says why a new resource cannot have the name; undefined when it can. */
const FAULTS: Readonly<Record<NamedResource, (name: string) => string | undefined>> = {
  namespace: namespaceNameFault,
  connection: connectionNameFault,
  rule: ruleNameFault,
  'resource group': resourceGroupFault,
};

const NOUNS: Readonly<Record<NamedResource, string>> = {
  namespace: 'a namespace',
  connection: 'a hybrid connection',
  rule: 'a rule',
  'resource group': 'a resource group',
};

/** The name. @throws HcmError HCM_NAME_INVALID, saying which rule it breaks. */
export function checkResourceName(kind: NamedResource, name: string): string {
  const fault = name === '' ? 'it is empty' : FAULTS[kind](name);
  if (fault === undefined) return name;
  const shown = name.replace(/[\u0000-\u001f\u007f]/g, ' ').slice(0, 80);
  throw new HcmError('HCM_NAME_INVALID', `"${shown}" cannot name ${NOUNS[kind]}: ${fault}.`, {
    details: { kind, next: `Take another name: ${RULES[kind]}` },
  });
}

const RULES: Readonly<Record<NamedResource, string>> = {
  namespace: `${NAMESPACE_MIN_CHARS} to ${NAMESPACE_MAX_CHARS} letters, digits and hyphens, beginning with a letter`,
  connection: '1 to 260 letters, digits and . - _ /, beginning and ending with a letter or digit',
  rule: `1 to ${RULE_MAX_CHARS} letters, digits and . - _, beginning and ending with a letter or digit`,
  'resource group': `1 to ${RESOURCE_GROUP_MAX_CHARS} letters, digits and . - _ ( ), with no dot at the end`,
};

export function namespaceNameFault(name: string): string | undefined {
  if (name.length < NAMESPACE_MIN_CHARS) {
    return `it has ${name.length} character${name.length === 1 ? '' : 's'}, and at least ${NAMESPACE_MIN_CHARS} are needed`;
  }
  if (!/^[0-9A-Za-z-]+$/.test(name)) return 'only letters, digits and hyphens are allowed in it';
  return (
    tooLong(name, NAMESPACE_MAX_CHARS) ??
    (/^[A-Za-z]/.test(name) ? undefined : 'it must begin with a letter') ??
    (name.endsWith('-') ? 'it must end with a letter or a digit' : undefined)
  );
}

export function connectionNameFault(name: string): string | undefined {
  return entityNameFault(name) ?? endsFault(name);
}

export function ruleNameFault(name: string): string | undefined {
  if (!/^[0-9A-Za-z._-]+$/.test(name)) return 'only letters, digits and . - _ are allowed in it';
  return tooLong(name, RULE_MAX_CHARS) ?? endsFault(name);
}

export function resourceGroupFault(name: string): string | undefined {
  if (!/^[\p{L}\p{N}._()-]+$/u.test(name)) return 'only letters, digits and . - _ ( ) are allowed in it';
  return (
    tooLong(name, RESOURCE_GROUP_MAX_CHARS) ?? (name.endsWith('.') ? 'it must not end with a dot' : undefined)
  );
}

/** A location as Azure writes it (`westeurope`) or shows it (`West Europe`); whether it exists, only Azure knows. */
export function locationFault(location: string): string | undefined {
  return /^[A-Za-z][0-9A-Za-z ]*$/.test(location)
    ? undefined
    : 'only letters, digits and spaces are allowed in it';
}

function tooLong(name: string, maxChars: number): string | undefined {
  return name.length > maxChars ? `it has ${name.length} characters, and ${maxChars} are allowed` : undefined;
}

function endsFault(name: string): string | undefined {
  return /^[0-9A-Za-z]/.test(name) && /[0-9A-Za-z]$/.test(name)
    ? undefined
    : 'it must begin and end with a letter or a digit';
}
