/**
 * The connections of Microsoft's Hybrid Connection Manager as section `manager:` of hcm.yaml: the `connections.json` of
 * the new one, whose shape is known from its prototype's source alone, so much is let pass; and the `.exe.config` of
 * the classic one for Windows. Pure, as every import.
 */
import { isIPv6 } from 'node:net';
import { parseConnectionString, type ConnectionString } from '../../../protocol/connection-string.ts';
import { entityNameFault } from '../../../protocol/entity-name.ts';
import { HcmError } from '../../../protocol/errors.ts';
import { parseTargetAddress, type TargetAddress } from '../../../protocol/target-address.ts';
import { formatTarget } from '../../../protocol/target.ts';
import { readDocument, type PlainDocument } from '../../config/hcm-yaml/document.ts';
import { throwFaults } from '../../config/hcm-yaml/faults.ts';
import type { ListenerDeclaration } from '../../config/hcm-yaml/manager-declaration.ts';
import { ImportNode, type Findings } from './import-node.ts';
import type { Imported, ImportTarget } from './imported.ts';
import { hostOf, ImportedSecrets, namespaceOf } from './imported-secrets.ts';
import { classicConnections } from './hcm-classic.ts';

/** What the prototype writes of each connection; those without a use here say how it was. */
const KEYS = ['Namespace', 'Name', 'Uri', 'KeyName', 'KeyValue', 'EndpointHost', 'EndpointPort', 'Endpoint'];
const OF_THE_PAST = [
  ...['ResourceGroup', 'SubscriptionId', 'Status', 'CreatedOn', 'LastUpdated', 'NumberOfListeners'],
  'ServiceBusEndpoint',
];
const ASKS_AZURE = 'no target is known: Azure is asked for it at each start; "target" in the file pins it';

/**
 * Reads `connections.json`, or the classic manager's `.exe.config`.
 * @throws HcmError HCM_CONFIG_INVALID with all that cannot be read or means nothing, each with its place.
 */
export function importHcm(text: string, options: ImportTarget): Imported {
  const plain = text.replace(/^\uFEFF/, '');
  const findings: Findings = { warnings: [], faults: [] };
  const reader = new Reader(options, findings);
  const listeners = plain.trimStart().startsWith('<') ? reader.classic(plain) : reader.current(plain);
  throwFaults(options.file, findings.faults);
  if (listeners.length === 0) throw nothingIn(options.file);
  return { manager: { listeners, forwards: [] }, secrets: reader.secrets.all, warnings: findings.warnings };
}

class Reader {
  readonly secrets = new ImportedSecrets();
  readonly #options: ImportTarget;
  readonly #findings: Findings;
  readonly #seen = new Set<string>();

  constructor(options: ImportTarget, findings: Findings) {
    this.#options = options;
    this.#findings = findings;
  }

  current(text: string): ListenerDeclaration[] {
    const { file } = this.#options;
    const document = readDocument(text, { file, env: {}, section: undefined });
    return entriesOf(document).flatMap((pointer) => {
      const value = pointer.split('/').slice(1).reduce(childOf, document.value);
      return this.#entry(new ImportNode(document, this.#findings, pointer, value)) ?? [];
    });
  }

  classic(text: string): ListenerDeclaration[] {
    const { connections, faults } = classicConnections(text);
    this.#findings.faults.push(...faults);
    return connections.flatMap(({ connectionString, at }) => {
      try {
        const parsed = parseConnectionString(connectionString);
        const { entityPath } = parsed;
        if (entityPath === undefined) throw new HcmError('HCM_CONFIG_INVALID', 'it has no EntityPath');
        this.#findings.warnings.push({ at, key: 'hybridConnection', message: ASKS_AZURE });
        return this.#listener(parsed, entityPath, undefined, at) ?? [];
      } catch (error) {
        if (!(error instanceof HcmError)) throw error;
        this.#findings.faults.push({ at, what: `connectionString: ${error.message.replace(/\.$/, '')}` });
        return [];
      }
    });
  }

  #entry(node: ImportNode): ListenerDeclaration | undefined {
    for (const key of node.othersThan([...KEYS, ...OF_THE_PAST]))
      node.warn(key, 'is not known here: left out');
    const [, uriHost, uriPath] = /^[a-z]+:\/\/([^/]+)\/?(.*?)\/?$/i.exec(node.text('Uri') ?? '') ?? [];
    const name = node.text('Name') ?? (uriPath || undefined);
    const namespace = node.text('Namespace');
    const host = uriHost ?? (namespace && hostOf(namespace));
    if (name === undefined) return node.fault('Name', 'the name of the hybrid connection is missing');
    if (host === undefined) return node.fault('Namespace', 'there is neither Namespace nor Uri');
    const fault = entityNameFault(name);
    if (fault !== undefined) return node.fault('Name', `"${name}" cannot name a hybrid connection: ${fault}`);
    const target = readTarget(node);
    const parsed = readAccess(node, host, name);
    return parsed && this.#listener(parsed, name, target, node.place, node);
  }

  #listener(
    parsed: ConnectionString,
    name: string,
    target: TargetAddress | undefined,
    at: ListenerDeclaration['at'],
    node?: ImportNode,
  ): ListenerDeclaration | undefined {
    const connection = `${namespaceOf(parsed.endpoint)}/${name}`;
    if (this.#seen.has(connection.toLowerCase())) {
      const message = `${connection} stands here again: the first one counts`;
      this.#findings.warnings.push({ at, key: 'Name', message });
      return undefined;
    }
    this.#seen.add(connection.toLowerCase());
    const hasKey = parsed.credential.kind !== 'none';
    if (!hasKey)
      node?.warn('KeyValue', 'has no key: Azure is asked for one, so hcm has to be signed in (hcm login)');
    return {
      connection,
      access: hasKey ? this.#options.accessOf(this.secrets.add(name, parsed)) : { kind: 'azure' },
      targets: { dialect: 'raw', ...(target === undefined ? {} : { target }) },
      keepPath: false,
      at,
    };
  }
}

/** Undefined after a fault. */
function readAccess(node: ImportNode, host: string, name: string): ConnectionString | undefined {
  const [keyName, key] = [node.text('KeyName'), node.text('KeyValue')];
  const withKey =
    keyName === undefined || key === undefined
      ? ''
      : `SharedAccessKeyName=${keyName};SharedAccessKey=${key};`;
  try {
    return parseConnectionString(`Endpoint=sb://${host}/;${withKey}EntityPath=${name}`);
  } catch (error) {
    if (!(error instanceof HcmError)) throw error;
    return node.fault(withKey === '' ? 'Namespace' : 'KeyValue', error.message.replace(/\.$/, ''));
  }
}

/** As Azure named it when the manager last ran. */
function readTarget(node: ImportNode): TargetAddress | undefined {
  const [host, port] = [node.text('EndpointHost'), node.text('EndpointPort')];
  const text =
    host === undefined || port === undefined || port === '0'
      ? node.text('Endpoint')
      : formatTarget({ host: isIPv6(host) ? host : host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) });
  if (text === undefined) {
    node.warn('EndpointHost', ASKS_AZURE);
    return undefined;
  }
  try {
    return parseTargetAddress(text);
  } catch (error) {
    if (!(error instanceof HcmError)) throw error;
    return node.fault('EndpointHost', error.message.replace(/\.$/, ''));
  }
}

/** The prototype writes a list; one list below a key, or one connection alone, is taken, too. */
function entriesOf({ value }: PlainDocument): string[] {
  const below = (list: readonly unknown[], pointer: string) => list.map((_, index) => `${pointer}/${index}`);
  if (Array.isArray(value)) return below(value, '');
  if (typeof value !== 'object' || value === null) return [];
  const lists = Object.entries(value).filter(([, inner]) => Array.isArray(inner));
  const [only, second] = lists;
  if (only === undefined) return Object.keys(value).some((key) => KEYS.includes(key)) ? [''] : [];
  return second === undefined && !only[0].includes('/') ? below(only[1] as unknown[], `/${only[0]}`) : [];
}

function childOf(value: unknown, key: string): unknown {
  return (value as Record<string, unknown>)[key];
}

function nothingIn(file: string): HcmError {
  return new HcmError('HCM_CONFIG_INVALID', `${file} has no hybrid connection: there is nothing to import.`, {
    details: {
      path: file,
      next: 'Name the file of the manager: C:\\ProgramData\\HybridConnectionManager\\connections.json',
    },
  });
}
