/** Connection strings that an import finds: each once, under a name that is good for a file and for a variable. */
import { formatConnectionString, type ConnectionString } from '../../../protocol/connection-string.ts';
import { urlHost, type Endpoint } from '../../../protocol/relay-hosts.ts';

/** A connection string that hcm.yaml refers to by name. */
export interface ImportedSecret {
  /** Good for a file name. */
  readonly name: string;
  readonly connectionString: string;
}

const PUBLIC_SUFFIX = '.servicebus.windows.net';
const HTTPS_PORT = 443;

export class ImportedSecrets {
  readonly #secrets = new Map<string, ImportedSecret>();

  get all(): ImportedSecret[] {
    return [...this.#secrets.values()];
  }

  /**
   * One for all that have the same. Where its EntityPath is `entity`, it is named after that, else after the namespace;
   * a string for another entity becomes one for the namespace.
   */
  add(
    entity: string,
    { endpoint, credential, entityPath }: Pick<ConnectionString, 'endpoint' | 'credential' | 'entityPath'>,
  ): ImportedSecret {
    const isOwn = entityPath?.toLowerCase() === entity.toLowerCase();
    const connectionString = formatConnectionString({
      endpoint,
      credential,
      ...(isOwn ? { entityPath } : {}),
    });
    const known = this.#secrets.get(connectionString);
    if (known !== undefined) return known;
    const suffix = credential.kind === 'none' ? '-anonymous' : '';
    const base = `${isOwn ? entity : namespaceOf(endpoint)}${suffix}`.replace(/[^0-9A-Za-z_.-]+/g, '-');
    const secret = { name: this.#freeName(base), connectionString };
    this.#secrets.set(connectionString, secret);
    return secret;
  }

  /** Names that differ in signs only would be one variable of the environment. */
  #freeName(base: string): string {
    const plain = (name: string) => name.toLowerCase().replace(/[^0-9a-z]+/g, '_');
    const taken = new Set(this.all.map(({ name }) => plain(name)));
    let name = base;
    for (let number = 2; taken.has(plain(name)); number++) name = `${base}-${number}`;
    return name;
  }
}

/** The first segment of NAMESPACE/NAME: short in Azure's public cloud, else the host. */
export function namespaceOf({ host, port }: Endpoint): string {
  if (port !== HTTPS_PORT) return `${urlHost(host)}:${port}`;
  return host.endsWith(PUBLIC_SUFFIX) ? host.slice(0, -PUBLIC_SUFFIX.length) : urlHost(host);
}

/** A word is the name of a namespace in Azure's public cloud, anything else a host. */
export function hostOf(namespace: string): string {
  return /^[0-9a-z-]+$/i.test(namespace) ? `${namespace}${PUBLIC_SUFFIX}` : namespace;
}
