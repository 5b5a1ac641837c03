/**
 * Where the relay of an azbridge configuration is and how it is told who we are: one connection string in the file, its
 * parts, or one for each forward. Keys go into secrets of their own, never into declarations.
 */
import {
  formatConnectionString,
  parseConnectionString,
  type ConnectionString,
} from '../../../protocol/connection-string.ts';
import { entityNameFault } from '../../../protocol/entity-name.ts';
import { HcmError } from '../../../protocol/errors.ts';
import type { ImportNode } from './import-node.ts';
import { hostOf, ImportedSecrets, namespaceOf, type ImportedSecret } from './imported-secrets.ts';

/** Of one forward. */
export interface Relay {
  /** NAMESPACE/NAME. */
  readonly connection: string;
  /** Undefined: Entra ID, as azbridge does without a key. */
  readonly secret: ImportedSecret | undefined;
}

const PARTS = {
  AzureRelayEndpoint: 'Endpoint',
  AzureRelaySharedAccessKeyName: 'SharedAccessKeyName',
  AzureRelaySharedAccessKey: 'SharedAccessKey',
  AzureRelaySharedAccessSignature: 'SharedAccessSignature',
} as const;

const TOKEN_ENDS = 'holds a token that ends at its time; a key or Entra ID goes on';

export class AccessReader {
  readonly #top: ImportNode;
  /** Of the whole file; undefined when it says nothing, or nothing usable. */
  readonly #shared: ConnectionString | undefined;
  /** For a file that names no relay itself. */
  readonly #namespace: string | undefined;
  readonly #secrets = new ImportedSecrets();

  constructor(top: ImportNode, namespace: string | undefined) {
    this.#top = top;
    this.#namespace = namespace;
    this.#shared = readShared(top, namespace);
    if (this.#shared?.credential.kind === 'signature') top.warn(keyOfShared(top), TOKEN_ENDS);
  }

  get secrets(): ImportedSecret[] {
    return this.#secrets.all;
  }

  /** Undefined after a fault. */
  read(forward: ImportNode, anonymous: boolean): Relay | undefined {
    const own = forward.text('ConnectionString');
    const parsed = own === undefined ? this.#shared : parse(own, forward, 'ConnectionString');
    if (own !== undefined && parsed === undefined) return undefined;
    const name = readName(forward, parsed);
    if (name === undefined) return undefined;
    if (parsed === undefined) return this.#withoutRelay(forward, name);
    const { endpoint, credential } = parsed;
    if (own !== undefined && credential.kind === 'signature') forward.warn('ConnectionString', TOKEN_ENDS);
    const connection = `${namespaceOf(endpoint)}/${name}`;
    if (credential.kind === 'none' && !anonymous) return { connection, secret: undefined };
    return {
      connection,
      // azbridge puts RelayName in the place of EntityPath.
      secret: this.#secrets.add(name, anonymous ? { endpoint, credential: { kind: 'none' } } : parsed),
    };
  }

  #withoutRelay(forward: ImportNode, name: string): Relay | undefined {
    if (this.#namespace !== undefined) return { connection: `${this.#namespace}/${name}`, secret: undefined };
    // What it says of the relay has a fault of its own.
    if (this.#top.text(keyOfShared(this.#top)) !== undefined) return undefined;
    return forward.fault(
      'RelayName',
      'no relay is named, neither by a connection string nor by AzureRelayEndpoint: say it with --namespace NAME',
    );
  }
}

function readShared(top: ImportNode, namespace: string | undefined): ConnectionString | undefined {
  const whole = top.text('AzureRelayConnectionString');
  const base = whole === undefined ? undefined : parse(whole, top, 'AzureRelayConnectionString');
  if (whole !== undefined && base === undefined) return undefined;
  const parts = new Map<string, string>();
  if (base !== undefined) {
    for (const part of formatConnectionString(base).split(';')) {
      const equals = part.indexOf('=');
      parts.set(part.slice(0, equals), part.slice(equals + 1));
    }
  }
  for (const [key, part] of Object.entries(PARTS)) {
    const text = top.text(key);
    if (text !== undefined) parts.set(part, text);
  }
  if (parts.size === 0) return undefined;
  if (!parts.has('Endpoint') && namespace !== undefined) parts.set('Endpoint', `sb://${hostOf(namespace)}/`);
  if (!parts.has('Endpoint'))
    return top.fault(keyOfShared(top), 'there is no AzureRelayEndpoint with it: say --namespace NAME');
  return parse([...parts].map((pair) => pair.join('=')).join(';'), top, keyOfShared(top));
}

/** The key that is to blame for what the file says about the relay. */
function keyOfShared(top: ImportNode): string {
  const keys = [...Object.keys(PARTS).toReversed(), 'AzureRelayConnectionString'];
  return keys.find((key) => top.text(key) !== undefined) ?? 'AzureRelayConnectionString';
}

function parse(text: string, node: ImportNode, key: string): ConnectionString | undefined {
  try {
    return parseConnectionString(text);
  } catch (error) {
    if (!(error instanceof HcmError)) throw error;
    // What azbridge's `-o key:value` leaves of an address.
    const cut = /^(?:endpoint=)?(?:sb|https|wss)$/i.test(text.trim());
    const hint = cut ? "; azbridge's -o cuts values at a colon" : '';
    return node.fault(key, `${error.message.replace(/\.$/, '')}${hint}`);
  }
}

function readName(forward: ImportNode, { entityPath }: Partial<ConnectionString> = {}): string | undefined {
  const written = forward.text('RelayName');
  if (written === undefined) {
    if (entityPath === undefined) return forward.fault('RelayName', 'the key RelayName is missing');
    forward.warn('ConnectionString', `azbridge wants RelayName, too: taken is EntityPath, "${entityPath}"`);
    return entityPath;
  }
  const fault = entityNameFault(written);
  if (fault !== undefined)
    return forward.fault('RelayName', `"${written}" cannot name a hybrid connection: ${fault}`);
  if (entityPath !== undefined && entityPath.toLowerCase() !== written.toLowerCase())
    forward.warn('RelayName', `the connection string is for "${entityPath}": RelayName wins, as in azbridge`);
  return written;
}
