/**
 * The environment of aztunnel (AZTUNNEL_*), from a file of variables or from the process, as section `manager:` of
 * hcm.yaml. It does not say which end it is of, nor where that leads: whoever imports does. Pure, as every import.
 */
import { parseConnectionString, type ConnectionString } from '../../../protocol/connection-string.ts';
import { entityNameFault } from '../../../protocol/entity-name.ts';
import { HcmError } from '../../../protocol/errors.ts';
import { parseTargetAddress } from '../../../protocol/target-address.ts';
import { parseBind } from '../../../protocol/target.ts';
import type { Place } from '../../config/hcm-yaml/declaration.ts';
import { throwFaults, type Fault } from '../../config/hcm-yaml/faults.ts';
import type { Access } from '../../config/hcm-yaml/manager-declaration.ts';
import type { Imported, ImportTarget, ImportWarning } from './imported.ts';
import { hostOf, ImportedSecrets, namespaceOf } from './imported-secrets.ts';

export interface AztunnelOptions extends ImportTarget {
  /** Where the listener leads; without it Azure is asked. */
  target?: string | undefined;
  /** A forward with this local port; with a target as well, both. */
  bind?: string | undefined;
  /** In the place of variables, since aztunnel has flags for them. */
  namespace?: string | undefined;
  name?: string | undefined;
}

/** A variable, and where it stands if in a file. */
interface Variable {
  readonly value: string;
  readonly at?: Place;
}

type Variables = ReadonlyMap<string, Variable>;

const USED = ['AZTUNNEL_RELAY_NAME', 'AZTUNNEL_HYCO_NAME', 'AZTUNNEL_KEY_NAME', 'AZTUNNEL_KEY'] as const;
const INSTEAD: Readonly<Record<string, string>> = {
  AZTUNNEL_METRICS_ADDR: 'left out: the manager has its metrics on a port of its own, see docs/metrics.md',
  AZTUNNEL_ARC_RESOURCE_ID: 'left out: hcm knows no Azure Arc',
};
const START: Place = { line: 1, column: 1 };
const OWN_DIALECT =
  'aztunnel has a dialect of its own: both ends must be hcm, and an aztunnel at the other end is not understood';
const ONE_TARGET =
  'an aztunnel listener leads wherever its senders ask; one of hcm to one target: say it with --target HOST:PORT, or Azure is asked for it';

/** @throws HcmError HCM_CONFIG_INVALID, HCM_TARGET_INVALID, HCM_BIND_INVALID. */
export function importAztunnel(variables: Variables, options: AztunnelOptions): Imported {
  const { file, target, bind } = options;
  const faults: Fault[] = [];
  const warnings: ImportWarning[] = [];
  const at = (key: string) => variables.get(key)?.at;
  const fault = (key: string, what: string) =>
    void faults.push({ at: at(key) ?? START, what: `${key}: ${what}` });
  const warn = (key: string, message: string) => void warnings.push({ at: at(key), key, message });

  for (const key of variables.keys())
    if (!USED.some((used) => used === key)) warn(key, INSTEAD[key] ?? 'left out: hcm has no use for it');
  const name = options.name ?? variables.get('AZTUNNEL_HYCO_NAME')?.value;
  const relay = options.namespace ?? variables.get('AZTUNNEL_RELAY_NAME')?.value;
  if (relay === undefined) fault('AZTUNNEL_RELAY_NAME', 'it is not set: say the relay with --namespace NAME');
  if (name === undefined) fault('AZTUNNEL_HYCO_NAME', 'it is not set: say the connection with --name NAME');
  const nameFault = name === undefined ? undefined : entityNameFault(name);
  if (nameFault !== undefined)
    fault('AZTUNNEL_HYCO_NAME', `"${name}" cannot name a hybrid connection: ${nameFault}`);
  const parsed =
    relay === undefined || name === undefined || nameFault !== undefined
      ? undefined
      : readAccess(variables, { relay, name, fault, warn });
  throwFaults(file, faults);
  if (parsed === undefined || name === undefined) throw new Error('a fault that was not told');

  warn('AZTUNNEL_HYCO_NAME', OWN_DIALECT);
  const secrets = new ImportedSecrets();
  const access: Access =
    parsed.credential.kind === 'none' ? { kind: 'entra' } : options.accessOf(secrets.add(name, parsed));
  const tunnel = { connection: `${namespaceOf(parsed.endpoint)}/${name}`, access, at: START };
  const isListener = bind === undefined || target !== undefined;
  if (isListener && target === undefined) warn('AZTUNNEL_HYCO_NAME', ONE_TARGET);
  const address = target === undefined ? {} : { target: parseTargetAddress(target) };
  return {
    manager: {
      listeners: isListener ? [{ ...tunnel, targets: { dialect: 'raw', ...address }, keepPath: false }] : [],
      forwards: bind === undefined ? [] : [{ ...tunnel, binds: { kind: 'raw', bind: parseBind(bind) } }],
    },
    secrets: secrets.all,
    warnings,
  };
}

/** Those of aztunnel that are set. */
export function aztunnelVariables(env: Readonly<Record<string, string | undefined>>): Variables {
  const found = Object.entries(env).filter(([key, value]) => key.startsWith('AZTUNNEL_') && value);
  return new Map(found.map(([key, value = '']) => [key, { value }]));
}

/** The same of a file as shells, systemd and containers read it: NAME=VALUE, `export` and quotes as one likes. */
export function readAztunnelFile(text: string): Variables {
  const variables = new Map<string, Variable>();
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const [, space = '', key, written = ''] = /^(\s*(?:export\s+)?)(AZTUNNEL_\w+)=(.*)$/.exec(line) ?? [];
    if (key === undefined) continue;
    const [, double, single, bare = ''] =
      /^\s*(?:"([^"]*)"|'([^']*)'|(.*?))\s*(?:\s#.*)?$/.exec(written) ?? [];
    const value = double ?? single ?? bare;
    if (value !== '') variables.set(key, { value, at: { line: index + 1, column: space.length + 1 } });
  }
  return variables;
}

/** A key counts when both of its variables are set; else aztunnel uses Entra ID. Undefined after a fault. */
function readAccess(
  variables: Variables,
  about: {
    relay: string;
    name: string;
    fault: (key: string, what: string) => void;
    warn: (key: string, message: string) => void;
  },
): ConnectionString | undefined {
  const { relay, name, fault, warn } = about;
  const [, scheme, host = relay] = /^([a-z]+):\/\/([^/]*)\/?$/i.exec(relay) ?? [];
  if (scheme !== undefined && /^(?:ws|http)$/i.test(scheme)) {
    fault('AZTUNNEL_RELAY_NAME', `hcm speaks to relays over TLS alone, and "${scheme}://" is without`);
    return undefined;
  }
  const keyName = variables.get('AZTUNNEL_KEY_NAME')?.value;
  const key = variables.get('AZTUNNEL_KEY')?.value;
  if ((keyName === undefined) !== (key === undefined))
    warn(
      key === undefined ? 'AZTUNNEL_KEY_NAME' : 'AZTUNNEL_KEY',
      `stands without ${key === undefined ? 'AZTUNNEL_KEY' : 'AZTUNNEL_KEY_NAME'}: left out, and Entra ID is used, as in aztunnel`,
    );
  const credential =
    keyName === undefined || key === undefined
      ? ''
      : `SharedAccessKeyName=${keyName};SharedAccessKey=${key};`;
  try {
    return parseConnectionString(`Endpoint=sb://${hostOf(host)}/;${credential}EntityPath=${name}`);
  } catch (error) {
    if (!(error instanceof HcmError)) throw error;
    fault(credential === '' ? 'AZTUNNEL_RELAY_NAME' : 'AZTUNNEL_KEY', error.message.replace(/\.$/, ''));
    return undefined;
  }
}
