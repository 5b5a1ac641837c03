/**
 * Names: what a hybrid connection may be called, and the CONNECTION argument `NAMESPACE/NAME` that people type.
 */
import { HcmError } from './errors.ts';
import { ENTITY_NAME_MAX_CHARS } from './limits.ts';

/** Why a text cannot be the name of a hybrid connection; undefined when it can. Characters as in azbridge. */
export function entityNameFault(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name.length > ENTITY_NAME_MAX_CHARS) {
    return `it has ${name.length} characters, and ${ENTITY_NAME_MAX_CHARS} are allowed`;
  }
  if (!/^[0-9A-Za-z/_\-.]+$/.test(name)) return 'only letters, digits and / _ - . are allowed in it';
  const segments = name.split('/');
  if (segments.includes('')) return 'it starts or ends with "/", or holds "//"';
  if (segments.some((segment) => /^\.+$/.test(segment))) return 'a segment of it consists of dots only';
  return undefined;
}

/** @throws HcmError HCM_CONNECTION_INVALID, naming the fault. */
export function checkEntityName(name: string): string {
  const fault = entityNameFault(name);
  if (fault === undefined) return name;
  throw new HcmError('HCM_CONNECTION_INVALID', `"${clip(name)}" cannot name a hybrid connection: ${fault}.`, {
    details: { reason: 'entity-name' },
  });
}

/**
 * Splits `NAMESPACE/NAME`: the first segment is the namespace or its full host (a port may follow), the rest the
 * name, which may itself hold slashes.
 * @throws HcmError HCM_CONNECTION_INVALID; `details.reason` is no-namespace, namespace or entity-name.
 */
export function parseConnectionName(text: string): { namespace: string; name: string } {
  const slash = text.indexOf('/');
  if (slash < 0) {
    throw new HcmError(
      'HCM_CONNECTION_INVALID',
      `"${clip(text)}" names no namespace: write NAMESPACE/NAME.`,
      { details: { reason: 'no-namespace' } },
    );
  }
  const namespace = text.slice(0, slash);
  if (!/^(?:[0-9a-z](?:[0-9a-z.-]*[0-9a-z])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(namespace)) {
    throw new HcmError(
      'HCM_CONNECTION_INVALID',
      `"${clip(namespace)}" in "${clip(text)}" is neither the name of a namespace nor its host.`,
      { details: { reason: 'namespace' } },
    );
  }
  return { namespace, name: checkEntityName(text.slice(slash + 1)) };
}

/** Whoever mistakes a secret for a name should not find it all in a log. */
function clip(text: string): string {
  const shown = text.replace(/[\u0000-\u001f\u007f]/g, ' ');
  return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
}
