/**
 * What was typed into the form becomes a request, by the same rules that commands read texts by; what is wrong is told
 * at its field. Keeps nothing: the connection string goes into the request and nowhere else.
 */
import type { AddRequest } from '../../../src/manager/control/operations.ts';
import {
  parseConnectionName,
  parseConnectionString,
  resolveConnection,
} from '../../../src/protocol/connection-string.ts';
import { HcmError, type ErrorCode } from '../../../src/protocol/errors.ts';
import { isLoopbackName } from '../../../src/protocol/relay-hosts.ts';
import { parseBind, parseTarget } from '../../../src/protocol/target.ts';

export interface AddFields {
  readonly role: AddRequest['role'];
  readonly connectionString: string;
  readonly name: string;
  readonly target: string;
  readonly bind: string;
}

export const EMPTY_FIELDS: AddFields = {
  role: 'listener',
  connectionString: '',
  name: '',
  target: '',
  bind: '',
};

export type FieldName = Exclude<keyof AddFields, 'role'>;
export type FieldErrors = Partial<Record<FieldName, string>>;

export function readAddFields(fields: AddFields): { request: AddRequest } | { errors: FieldErrors } {
  const errors: FieldErrors = {};
  const at = <T>(field: FieldName, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof HcmError)) throw error;
      errors[fieldOf(error.code) ?? field] ??= error.message;
      return undefined;
    }
  };
  const { role } = fields;
  const [secret, name, target, bind] = [fields.connectionString, fields.name, fields.target, fields.bind].map(
    (text) => text.trim(),
  ) as [string, string, string, string];
  const connection =
    secret === '' ? at('name', () => plainName(name)) : at('connectionString', () => nameOf(secret, name));
  if (role === 'listener' && target !== '') at('target', () => parseTarget(target));
  if (role === 'forward' && bind !== '') at('bind', () => parseBind(bind));
  if (connection === undefined || Object.keys(errors).length > 0) return { errors };
  const entry = {
    ...(role === 'listener' && target !== '' ? { target } : {}),
    ...(role === 'forward' && bind !== '' ? { bind } : {}),
    ...(secret === '' ? { entra: true } : {}),
  };
  return { request: { role, connection, entry, ...(secret === '' ? {} : { connectionString: secret }) } };
}

/** The field that an error of the manager is about; undefined: the form as a whole. */
export function fieldOf(code: string): FieldName | undefined {
  return FIELD_OF[code];
}

const FIELD_OF: Readonly<Record<string, FieldName>> = {
  HCM_CONNECTION_STRING_INVALID: 'connectionString',
  HCM_CONNECTION_INVALID: 'name',
  HCM_TARGET_INVALID: 'target',
  HCM_TARGET_MISSING: 'target',
  HCM_BIND_INVALID: 'bind',
  HCM_PORT_IN_USE: 'bind',
  HCM_BIND_FAILED: 'bind',
} satisfies Partial<Record<ErrorCode, FieldName>>;

function plainName(name: string): string {
  if (name === '')
    throw new HcmError(
      'HCM_CONNECTION_INVALID',
      'Give a connection string, or NAMESPACE/NAME to sign in with Entra ID.',
    );
  parseConnectionName(name);
  return name;
}

/** A string for one connection says its name; one for a whole namespace needs NAME. */
function nameOf(secret: string, name: string): string {
  const connectionString = parseConnectionString(secret);
  const { endpoint, path } = resolveConnection({
    connectionString,
    ...(name === '' ? {} : { name: withoutNamespace(name, connectionString.endpoint.host) }),
  });
  return `${namespaceOf(endpoint.host)}/${path}`;
}

function withoutNamespace(name: string, host: string): string {
  const [first = '', ...rest] = name.split('/');
  return rest.length > 0 && [host, namespaceOf(host)].includes(first.toLowerCase()) ? rest.join('/') : name;
}

function namespaceOf(host: string): string {
  return isLoopbackName(host) ? host : (host.split('.')[0] ?? host);
}
