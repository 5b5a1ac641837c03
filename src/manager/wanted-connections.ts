/**
 * What the manager should run: what its hcm.yaml declares and what `hcm add` put into its store. Reads both, changes the
 * store, and tells what is wrong with either. Runs nothing.
 */
import type { ManagerDeclaration } from '../lib/config/hcm-yaml/manager-declaration.ts';
import { isSameConnection } from '../lib/config/hcm-yaml/same-connection.ts';
import {
  parseConnectionName,
  parseConnectionString,
  resolveConnection,
  type ConnectionString,
} from '../protocol/connection-string.ts';
import { HcmError } from '../protocol/errors.ts';
import { isLoopbackName } from '../protocol/relay-hosts.ts';
import { parseTarget } from '../protocol/target.ts';
import { asHcmError } from '../tunnel/emitter.ts';
import type { AddRequest } from './control/operations.ts';
import type { ManagerProblems } from './manager-problems.ts';
import { specsOf } from './specs.ts';
import type { ConnectionStore, StoredConnection } from './store.ts';
import { readEachStored } from './store-reading.ts';
import { checkAdded, readStored } from './stored-declaration.ts';
import type { ConnectionSpec } from './tunnel.ts';

export interface WantedOptions {
  readonly folder: string;
  readonly store: ConnectionStore;
  /** The hcm.yaml that is followed: its name, and how it is read. Rejects with HCM_CONFIG_INVALID and its like. */
  readonly file?: { readonly path: string; load: () => Promise<ManagerDeclaration> } | undefined;
  /** The host of the relay that a connection without a key leads to, by the manager's own cloud; undefined: not known. */
  readonly signedInHost?: ((connection: string) => Promise<string | undefined>) | undefined;
}

const NOTHING: ManagerDeclaration = { listeners: [], forwards: [] };

export class WantedConnections {
  readonly #options: WantedOptions;
  readonly #problems: ManagerProblems;
  #fromFile = NOTHING;
  #fromStore = NOTHING;
  #lastReading: Promise<unknown> = Promise.resolve();
  /** What was never read. */
  readonly #unread = new Set<'file' | 'store'>(['file', 'store']);

  constructor(options: WantedOptions, problems: ManagerProblems) {
    this.#options = options;
    this.#problems = problems;
  }

  /** File and store were both read once. */
  get isKnown(): boolean {
    return this.#unread.size === 0;
  }

  /** `running`: what has not changed keeps its id. */
  specs(running: readonly ConnectionSpec[]): ConnectionSpec[] {
    const pinnedOf = (connection: string) => {
      const pinned = this.#options.store.get('listener', connection)?.pinnedTarget;
      return pinned === undefined ? undefined : parseTarget(pinned);
    };
    const sources = [
      { source: 'file', manager: this.#fromFile },
      { source: 'store', manager: this.#fromStore, pinnedOf },
    ] as const;
    return specsOf(sources, running);
  }

  /** One that is wrong changes nothing. @throws HcmError HCM_CONFIG_INVALID and its like. */
  async readFile(): Promise<void> {
    const { file } = this.#options;
    try {
      // In turn: what was read first must not count last.
      const reading = this.#lastReading.then(() => file?.load());
      this.#lastReading = reading.catch(() => undefined);
      this.#fromFile = (await reading) ?? NOTHING;
      this.#unread.delete('file');
      this.#problems.clear('file');
    } catch (error) {
      this.#problems.add('file', asHcmError(error));
      throw error;
    }
  }

  /** One entry that makes no sense keeps none of the others out. */
  async readStore(): Promise<void> {
    const { store, folder } = this.#options;
    const { manager, faults } = await readEachStored(store.connections, folder);
    this.#fromStore = manager;
    this.#problems.replace('store', faults);
    this.#unread.delete('store');
  }

  /**
   * Bad input is told before anything is written.
   * @throws HcmError HCM_USAGE, HCM_CONFIG_INVALID, HCM_RESOURCE_CONFLICT, HCM_STATE_UNWRITABLE.
   */
  async put(request: AddRequest, now: string): Promise<{ changed: boolean; replaced: boolean }> {
    const { role, connection, connectionString, pinnedTarget, entry } = request;
    const { store, folder } = this.#options;
    this.#checkUndeclared(role, connection);
    checkAdded(entry);
    if (pinnedTarget !== undefined) parseTarget(pinnedTarget);
    const key = connectionString === undefined ? undefined : parseConnectionString(connectionString);
    const host = key?.endpoint.host;
    const known = store.get(role, connection);
    if (known !== undefined) await this.#checkRelay(known, host);
    if (known !== undefined && (await this.#isSame(known, request)))
      return { changed: false, replaced: false };
    const stored: StoredConnection = {
      ...{ role, connection, host, entry, pinnedTarget },
      addedAt: known?.addedAt ?? now,
    };
    await readStored(stored, folder);
    if (key !== undefined) checkFor(connection, key);
    await store.put(stored, connectionString);
    await this.#storeChanged();
    return { changed: true, replaced: known !== undefined };
  }

  async remove({ role, connection }: ConnectionSpec): Promise<void> {
    await this.#options.store.remove(role, connection);
    await this.#storeChanged();
  }

  /** False: it has no confirmed target, or this one is it. */
  async confirm({ role, connection }: ConnectionSpec, target: string): Promise<boolean> {
    return this.#options.store.pin(role, connection, target);
  }

  /** What a file declares is changed there. @throws HcmError HCM_RESOURCE_CONFLICT. */
  checkStored({ source, connection }: ConnectionSpec): void {
    if (source === 'file') throw this.#declared(connection, 'Take it out there');
  }

  /** What is still not where it should be, such as a key that a locked keychain did not take or give up. */
  tellOfSecrets(): void {
    const { problem } = this.#options.store.keeper;
    if (problem === undefined) this.#problems.clear('secrets');
    else this.#problems.add('secrets', problem);
  }

  /** What is added beside the file would never run, and nobody could take it away. */
  #checkUndeclared(role: AddRequest['role'], connection: string): void {
    const declared = this.#fromFile[role === 'listener' ? 'listeners' : 'forwards'];
    const same = declared.find((one) => isSameConnection(one.connection, connection));
    if (same) throw this.#declared(same.connection, 'Change it there');
  }

  #declared(connection: string, next: string): HcmError {
    return new HcmError('HCM_RESOURCE_CONFLICT', `${connection} stands in ${this.#options.file?.path}.`, {
      details: { connection, next },
    });
  }

  /** A namespace is called by its first label, which two clouds may both have. `keyHost`: undefined without a key. */
  async #checkRelay(known: StoredConnection, keyHost: string | undefined): Promise<void> {
    const { store, signedInHost } = this.#options;
    const hasKey = store.secretPlace(known) !== undefined;
    const host = hasKey ? known.host : await signedInHost?.(known.connection);
    const other = keyHost ?? (await signedInHost?.(known.connection));
    if (host === undefined || other === undefined || host === other) return;
    if (!isLoopbackName(host) || !isLoopbackName(other)) throw ofAnotherHost(known.connection, host, other);
  }

  async #isSame(known: StoredConnection, request: AddRequest): Promise<boolean> {
    // A secret that cannot be had is written anew.
    const secret = await this.#options.store.secret(known).catch(() => null);
    return (
      secret === request.connectionString &&
      known.pinnedTarget === request.pinnedTarget &&
      JSON.stringify(known.entry) === JSON.stringify(request.entry)
    );
  }

  async #storeChanged(): Promise<void> {
    this.tellOfSecrets();
    await this.readStore();
  }
}

/** A key of another connection would be refused at each start. @throws HcmError HCM_CONNECTION_INVALID. */
function checkFor(connection: string, connectionString: ConnectionString): void {
  const { namespace, name } = parseConnectionName(connection);
  const { host } = resolveConnection({ connectionString, name }).endpoint;
  const [wanted = ''] = namespace.toLowerCase().split(':');
  if (host === wanted || host.startsWith(`${wanted}.`) || isLoopbackName(host)) return;
  const message = `The connection string is for ${host}, and not for ${connection}.`;
  throw new HcmError('HCM_CONNECTION_INVALID', message, { details: { reason: 'namespace-disagrees' } });
}

function ofAnotherHost(connection: string, host: string, other: string): HcmError {
  const { name } = parseConnectionName(connection);
  const text = `${connection} is there already, for the relay ${host}; this one is for ${other}.`;
  return new HcmError('HCM_RESOURCE_CONFLICT', text, {
    details: {
      ...{ connection, host },
      next: `To have both, name this one by its host: hcm add ${other}/${name} …; to replace the other, first: hcm remove ${connection}`,
    },
  });
}
