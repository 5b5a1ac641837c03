/**
 * The whole manager of one folder: follows its store and an hcm.yaml, runs what they want, logs what happens, and
 * answers the control API. Owns all of it from `start` to `stop`.
 */
import type { ManagerDeclaration } from '../lib/config/hcm-yaml/manager-declaration.ts';
import { remedyOf } from '../lib/error-table.ts';
import { HcmError } from '../protocol/errors.ts';
import { parseTarget } from '../protocol/target.ts';
import type { Clock } from '../tunnel/clock.ts';
import { asHcmError } from '../tunnel/emitter.ts';
import { serveApi } from './control/api.ts';
import { openControlSocket, type ControlSocket } from './control/control-socket.ts';
import {
  API_VERSION,
  type Added,
  type AddRequest,
  type ConnectionView,
  type DashboardInvitation,
  type EndpointReport,
  type EventView,
  type KnownResults,
  type ManagerExport,
  type ManagerOperations,
  type ManagerView,
  type ReasonView,
  type SamplesView,
  type TestReport,
} from './control/operations.ts';
import type { ConnectionTester } from './connection-test.ts';
import { EventLog, type LogSink } from './event-log.ts';
import { claimFolder, type FolderClaim } from './folder-claim.ts';
import { History } from './history.ts';
import type { ManagedConnection } from './managed-connection.ts';
import { Manager, type Changes } from './manager.ts';
import { Metrics } from './metrics.ts';
import { readinessOf, type Readiness } from './readiness.ts';
import { exportSection } from './section-export.ts';
import { connectionId, keyFileOf, specsOf } from './specs.ts';
import type { ConnectionStore, StoredConnection } from './store.ts';
import { readEachStored } from './store-reading.ts';
import { checkAdded, readStored } from './stored-declaration.ts';
import type { OpenTunnel, TargetQuestions } from './tunnel.ts';
import { detailsOf, isoTime, measuredOf, viewOf } from './views.ts';
import { openWebServer, type WebServer } from './web/web-server.ts';

export interface ManagerServiceOptions {
  version: string;
  pid: number;
  folder: string;
  socketPath: string;
  /** The group that may use the socket, of a service. */
  groupId?: number | undefined;
  store: ConnectionStore;
  /** The hcm.yaml that it follows: its name, and how it is read. Rejects with HCM_CONFIG_INVALID and its like. */
  file?: { readonly path: string; load: () => Promise<ManagerDeclaration> } | undefined;
  open: OpenTunnel;
  /** Absent: no target is asked whether it is there. */
  targets?: TargetQuestions | undefined;
  sink: LogSink;
  clock: Clock;
  random: () => number;
  /** How long streams of a connection that is no longer wanted may go on, in ms. */
  graceMs: number;
  /** Absent: nothing can be tested. */
  tester?: ConnectionTester | undefined;
  /** The web server on loopback: its port (0: any free one), and the folder of the built page. Absent: none. */
  web?: { readonly port: number; readonly folder: string } | undefined;
}

export class ManagerService implements ManagerOperations {
  readonly #options: ManagerServiceOptions;
  readonly #manager: Manager;
  readonly #log: EventLog;
  readonly #startedMs: number;
  #fromFile: ManagerDeclaration = { listeners: [], forwards: [] };
  #fromStore: ManagerDeclaration = { listeners: [], forwards: [] };
  /** By what they are about, so that one that is mended goes away. */
  readonly #problems = new Map<string, ReasonView>();
  readonly #history: History;
  #socket: ControlSocket | undefined;
  #claim: FolderClaim | undefined;
  #settled: Promise<void> = Promise.resolve();
  #web: WebServer | undefined;
  /** What of the wanted was never read. */
  readonly #unread = new Set<'file' | 'store'>(['file', 'store']);
  #isStopping = false;

  constructor(options: ManagerServiceOptions) {
    const { clock, random, open, targets, graceMs } = options;
    this.#options = options;
    this.#startedMs = clock.nowMs();
    this.#log = new EventLog(options.sink);
    this.#history = new History({ clock, measure: () => this.#manager.connections.map(measuredOf) });
    this.#manager = new Manager({
      ...{ clock, random, open, targets, graceMs },
      listener: {
        onState: (id, { name, ...rest }) =>
          this.#tell('state', { id, state: name, ...('reason' in rest ? { reason: rest.reason } : {}) }),
        onEvent: (id, event) => this.#log.append({ id, ...event }),
      },
    });
  }

  /**
   * Opens the socket first: of two managers of a folder, the second ends here. A file that is wrong keeps nobody from
   * starting: the manager runs what it can and says what is wrong.
   * @throws HcmError HCM_STATE_LOCKED, HCM_BIND_FAILED.
   */
  async start(): Promise<void> {
    const { socketPath, groupId, store, version, folder } = this.#options;
    this.#socket = await openControlSocket({
      path: socketPath,
      groupId,
      serve: (request, response) => void serveApi(this, request, response),
    });
    this.#claim = await claimFolder(folder, socketPath, this.#socket);
    await this.#openWeb();
    this.#history.start();
    this.#tell('started', { version, folder, web: this.#web?.url });
    for (const [index, problem] of store.problems.entries())
      this.#problem('store', problem, `store at start ${index}`);
    await this.#readStore();
    await this.reload().catch(() => undefined);
    // A keychain may take its time.
    this.#settled = store.settle().then((moved) => {
      if (moved > 0) this.#tell('secrets', { moved });
      this.#tellOfSecrets();
    });
  }

  /** Streams may finish within `graceMs`. May be called again with a shorter grace. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    this.#options.tester?.stop();
    // Whoever waits for a keychain waits no longer.
    this.#options.store.close();
    await this.#settled;
    await this.#manager.stop(graceMs);
    this.#history.stop();
    await Promise.all([this.#socket?.close(), this.#web?.close(), this.#claim?.release()]);
    this.#tell('stopped', {});
    await this.#log.close();
  }

  /** Connections that run, for metrics and health. */
  get connections(): readonly ManagedConnection[] {
    return this.#manager.connections;
  }

  describe(): ManagerView {
    const { version, pid, folder, file } = this.#options;
    return {
      apiVersion: API_VERSION,
      ...{ version, pid, folder },
      startedAt: isoTime(this.#startedMs),
      ...(file === undefined ? {} : { file: file.path }),
      ...(this.#web === undefined ? {} : { web: this.#web.url }),
      problems: [...this.#problems.values()],
    };
  }

  list(): ConnectionView[] {
    return this.#manager.connections.map(viewOf);
  }

  show(id: string): ReturnType<typeof detailsOf> {
    return detailsOf(this.#find(id));
  }

  async add(request: AddRequest): Promise<Added> {
    const { role, connection, connectionString, pinnedTarget, entry } = request;
    const { store, clock } = this.#options;
    checkAdded(entry);
    const id = connectionId(role, connection);
    if (this.#manager.get(id)?.spec.source === 'file') {
      throw new HcmError('HCM_RESOURCE_CONFLICT', `${connection} stands in ${this.#options.file?.path}.`, {
        details: { connection, next: 'Change it there' },
      });
    }
    const known = store.get(role, connection);
    // One that cannot be had is written anew.
    const secret = known && (await store.secret(known).catch(() => null));
    const sameSecret = known !== undefined && secret === connectionString;
    const sameEntry = JSON.stringify(known?.entry) === JSON.stringify(entry);
    const changed = !sameSecret || !sameEntry || known.pinnedTarget !== pinnedTarget;
    if (changed) {
      const stored: StoredConnection = {
        ...{ role, connection, entry, pinnedTarget },
        addedAt: known?.addedAt ?? isoTime(clock.nowMs()),
      };
      // Bad input is told before anything is written.
      await readStored([stored], this.#options.folder);
      await store.put(stored, connectionString);
      this.#tellOfSecrets();
      await this.#readStore();
      const done = Object.values(this.#follow()).flat();
      // Another key alone shows in no fingerprint.
      const managed = this.#find(id);
      if (!done.includes(id)) await managed.renewKey().catch(() => managed.restart());
    }
    return { connection: viewOf(this.#find(id)), changed, replaced: changed && known !== undefined };
  }

  async remove(id: string): Promise<void> {
    const { spec } = this.#find(id);
    if (spec.source === 'file') {
      throw new HcmError(
        'HCM_RESOURCE_CONFLICT',
        `${spec.connection} stands in ${this.#options.file?.path}.`,
        {
          details: { connection: spec.connection, next: 'Take it out there' },
        },
      );
    }
    await this.#options.store.remove(spec.role, spec.connection);
    this.#tellOfSecrets();
    await this.#readStore();
    this.#follow();
  }

  async restart(id: string, { acceptTarget }: { acceptTarget: boolean }): Promise<ConnectionView> {
    const managed = this.#find(id);
    const { spec, record } = managed;
    const { store } = this.#options;
    const stored = store.get(spec.role, spec.connection);
    const { target } = record;
    // Nothing to accept yet: opened anew, it asks Azure again.
    if (!acceptTarget || stored?.pinnedTarget === undefined || !target || target === stored.pinnedTarget) {
      managed.restart();
      return viewOf(managed);
    }
    await store.update({ ...stored, pinnedTarget: target });
    this.#follow();
    return viewOf(this.#find(id));
  }

  async reload(): Promise<Changes> {
    const { file } = this.#options;
    if (file === undefined) {
      this.#unread.delete('file');
      return this.#follow();
    }
    try {
      this.#fromFile = await file.load();
      this.#unread.delete('file');
      this.#problems.delete('file');
    } catch (error) {
      this.#problem('file', asHcmError(error));
      this.#follow();
      throw error;
    }
    return this.#follow();
  }

  /** The files beside hcm.yaml that hold connection strings. */
  get keyFiles(): readonly string[] {
    return [...new Set(this.connections.flatMap(({ spec }) => keyFileOf(spec) ?? []))];
  }

  /** Such a file was changed: its connections take the new key. One that is no good changes nothing, and is told. */
  async keyFileChanged(path: string): Promise<void> {
    const key = `key file ${path}`;
    const concerned = this.connections.filter(({ spec }) => keyFileOf(spec) === path);
    const outcomes = await Promise.allSettled(concerned.map((one) => one.renewKey()));
    const [failure] = outcomes.flatMap((one) => (one.status === 'rejected' ? [asHcmError(one.reason)] : []));
    if (failure) return this.#problem('key file', failure, key);
    this.#problems.delete(key);
    if (concerned.length > 0) this.#tell('key-renewed', { file: path });
  }

  async test(id: string, known: KnownResults = {}): Promise<TestReport> {
    const managed = this.#find(id);
    const report = await this.#tester.test(managed, known);
    const failed = report.proofs.filter(({ result }) => result === 'failed').map(({ name }) => name);
    this.#tell('tested', { id, passed: report.passed, failed });
    return report;
  }

  testEndpoint(endpoint: string): Promise<EndpointReport> {
    return this.#tester.testEndpoint(endpoint);
  }

  get #tester(): ConnectionTester {
    const { tester } = this.#options;
    if (tester) return tester;
    throw new HcmError('HCM_USAGE', 'This manager tests nothing.');
  }

  export(): ManagerExport {
    const specs = this.#manager.connections.map(({ spec }) => spec);
    return exportSection(specs, (spec) => this.#options.store.secretPlace(spec) !== undefined);
  }

  logs(lines: number): readonly EventView[] {
    return this.#log.tail(lines);
  }

  samples(since?: string): SamplesView {
    return this.#history.samples(since === undefined ? undefined : Date.parse(since));
  }

  dashboard(): Promise<DashboardInvitation> {
    if (this.#web) return Promise.resolve(this.#web.invite());
    const error = new HcmError('HCM_NOT_RUNNING', 'The manager runs without its web server.', {
      details: { next: 'Start it without --no-http: hcm service run' },
    });
    return Promise.reject(error);
  }

  get readiness(): Readiness {
    return readinessOf(this.list(), { stopping: this.#isStopping, unread: this.#unread.size > 0 });
  }

  subscribe(onEvent: (event: EventView) => void): () => void {
    return this.#log.subscribe(onEvent);
  }

  async #openWeb(): Promise<void> {
    const { web, clock } = this.#options;
    if (web === undefined) return;
    const metrics = new Metrics(this);
    try {
      this.#web = await openWebServer({
        ...web,
        clock,
        operations: this,
        readiness: () => this.readiness,
        metrics: () => metrics.collect(),
      });
    } catch (error) {
      await Promise.all([this.#socket?.close(), this.#claim?.release()]);
      throw error;
    }
  }

  async #readStore(): Promise<void> {
    const { store, folder } = this.#options;
    const { manager, faults } = await readEachStored(store.connections, folder);
    this.#fromStore = manager;
    const [first] = faults;
    if (first === undefined) this.#problems.delete('store');
    else this.#problem('store', first);
    this.#unread.delete('store');
  }

  #follow(): Changes {
    const { store } = this.#options;
    const pinnedOf = (connection: string) => {
      const pinned = store.get('listener', connection)?.pinnedTarget;
      return pinned === undefined ? undefined : parseTarget(pinned);
    };
    const changes = this.#manager.follow(
      specsOf(
        [
          { source: 'file', manager: this.#fromFile },
          { source: 'store', manager: this.#fromStore, pinnedOf },
        ],
        this.connections.map(({ spec }) => spec),
      ),
    );
    const done = Object.values(changes).flat().length;
    if (done > 0) this.#tell('followed', { ...changes });
    return changes;
  }

  #find(id: string): ManagedConnection {
    const managed = this.#manager.get(id);
    if (managed) return managed;
    throw new HcmError('HCM_RESOURCE_NOT_FOUND', `The manager has no connection "${id}".`, {
      details: { id, next: 'hcm list' },
    });
  }

  /** What is still not where it should be, such as a key that a locked keychain did not take or give up. */
  #tellOfSecrets(): void {
    const { secretsProblem } = this.#options.store;
    if (secretsProblem === undefined) this.#problems.delete('secrets');
    else this.#problem('secrets', secretsProblem);
  }

  #problem(
    about: 'file' | 'key file' | 'store' | 'secrets' | 'log',
    error: HcmError,
    key: string = about,
  ): void {
    const { code, message } = error;
    this.#problems.set(key, { code, message, next: remedyOf(error) });
    this.#tell('problem', { about, error });
  }

  #tell(event: string, fields: Record<string, unknown>): void {
    this.#log.append({ event, time: isoTime(this.#options.clock.nowMs()), ...fields });
  }
}
