/**
 * The whole manager of one folder: follows its store and an hcm.yaml, runs what they want, logs what happens, and
 * answers the control API. Owns all of it from `start` to `stop`.
 */
import { HcmError } from '../protocol/errors.ts';
import {
  API_VERSION,
  type Added,
  type AddRequest,
  type ConnectionDetails,
  type ConnectionView,
  type DashboardInvitation,
  type EndpointReport,
  type EventView,
  type KnownResults,
  type ManagerExport,
  type ManagerOperations,
  type ManagerView,
  type SamplesView,
  type TestReport,
} from './control/operations.ts';
import { namedTarget } from './candidate.ts';
import { ClockProblem } from './clock-problem.ts';
import type { ConnectionTester } from './connection-test.ts';
import { Doors, type DoorsOptions } from './doors.ts';
import { EventLog, type LogSink } from './event-log.ts';
import { History } from './history.ts';
import { KeyFiles } from './key-files.ts';
import { keysView, type KeyPolicy } from './key-places.ts';
import type { ManagedConnection } from './managed-connection.ts';
import { ManagerProblems } from './manager-problems.ts';
import { Manager, type Changes } from './manager.ts';
import { readinessOf, type Readiness } from './readiness.ts';
import { exportSection } from './section-export.ts';
import { connectionId } from './specs.ts';
import type { OpenTunnel, TargetQuestions } from './tunnel.ts';
import { detailsOf, isoTime, measuredOf, viewOf } from './views.ts';
import { WantedConnections, type WantedOptions } from './wanted-connections.ts';

export interface ManagerServiceOptions extends WantedOptions, DoorsOptions {
  version: string;
  pid: number;
  /** Of `store`, for those who ask. */
  keys: KeyPolicy;
  open: OpenTunnel;
  /** Absent: no target is asked whether it is there. */
  targets?: TargetQuestions | undefined;
  sink: LogSink;
  random: () => number;
  /** How long streams of a connection that is no longer wanted may go on, in ms. */
  graceMs: number;
  /** Absent: nothing can be tested. */
  tester?: ConnectionTester | undefined;
}

export class ManagerService implements ManagerOperations {
  readonly #options: ManagerServiceOptions;
  readonly #manager: Manager;
  readonly #log: EventLog;
  readonly #startedMs: number;
  readonly #problems: ManagerProblems;
  readonly #clockProblem: ClockProblem;
  readonly #keyFiles: KeyFiles;
  readonly #wanted: WantedConnections;
  readonly #history: History;
  readonly #doors = new Doors();
  #starting: Promise<void> = Promise.resolve();
  #settled: Promise<void> = Promise.resolve();
  #isStopping = false;
  #ending: Promise<void> | undefined;

  constructor(options: ManagerServiceOptions) {
    const { clock, random, open, targets, graceMs } = options;
    this.#options = options;
    this.#startedMs = clock.nowMs();
    this.#log = new EventLog(options.sink);
    this.#problems = new ManagerProblems((about, error) => this.#tell('problem', { about, error }));
    this.#clockProblem = new ClockProblem(this.#problems);
    this.#keyFiles = new KeyFiles(() => this.connections, this.#problems);
    this.#wanted = new WantedConnections(options, this.#problems);
    this.#history = new History({ clock, measure: () => this.#manager.connections.map(measuredOf) });
    this.#manager = new Manager({
      ...{ clock, random, open, targets, graceMs },
      listener: {
        onState: (id, { name, ...rest }) =>
          this.#tell('state', { id, state: name, ...('reason' in rest ? { reason: rest.reason } : {}) }),
        onEvent: (id, event) => {
          this.#log.append({ id, ...event });
          this.#clockProblem.hear(id, event);
        },
      },
    });
  }

  /**
   * Opens the socket first: of two managers of a folder, the second ends here. A file that is wrong keeps nobody from
   * starting: the manager runs what it can and says what is wrong. But what a newer version has stored ends it.
   * @throws HcmError HCM_STATE_LOCKED, HCM_BIND_FAILED, HCM_STATE_CORRUPT, HCM_FILE_UNREADABLE.
   */
  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { store, version, folder } = this.#options;
    const aside = await this.#takeFolder();
    this.#history.start();
    this.#tell('started', { version, folder, web: this.#doors.webUrl });
    for (const [index, problem] of aside.entries())
      this.#problems.add('store', problem, `store at start ${index}`);
    await this.#wanted.readStore();
    await this.reload().catch(() => undefined);
    // A keychain may take its time.
    this.#settled = store.settle().then((moved) => {
      if (moved > 0) this.#tell('secrets', { moved });
      this.#wanted.tellOfSecrets();
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
    await (this.#ending ??= this.#end());
  }

  /** Connections that run, for metrics and health. */
  get connections(): readonly ManagedConnection[] {
    return this.#manager.connections;
  }

  describe(): ManagerView {
    const { version, pid, folder, file, store, keys } = this.#options;
    const web = this.#doors.webUrl;
    const specs = this.connections.map(({ spec }) => spec);
    return {
      apiVersion: API_VERSION,
      ...{ version, pid, folder },
      startedAt: isoTime(this.#startedMs),
      ...(file === undefined ? {} : { file: file.path }),
      ...(web === undefined ? {} : { web }),
      keys: keysView(specs, store, keys),
      problems: this.#problems.all,
    };
  }

  list(detailed?: string): (ConnectionView | ConnectionDetails)[] {
    return this.#manager.connections.map((managed) =>
      managed.spec.id === detailed ? detailsOf(managed) : viewOf(managed),
    );
  }

  show(id: string): ConnectionDetails {
    return detailsOf(this.#find(id));
  }

  async add(request: AddRequest): Promise<Added> {
    await this.#mayChange();
    const id = connectionId(request.role, request.connection);
    const outcome = await this.#wanted.put(request, this.#now());
    if (outcome.changed) {
      const done = Object.values(this.#follow()).flat();
      // Another key alone shows in no fingerprint.
      const managed = this.#find(id);
      if (!done.includes(id)) await managed.renewKey().catch(() => managed.restart());
    }
    return { connection: viewOf(this.#find(id)), ...outcome };
  }

  async namedTarget(request: AddRequest): Promise<{ target: string }> {
    return { target: await namedTarget(request, this.#options) };
  }

  async remove(id: string): Promise<void> {
    await this.#mayChange();
    const { spec } = this.#find(id);
    this.#wanted.checkStored(spec);
    await this.#wanted.remove(spec);
    this.#follow();
  }

  async restart(
    id: string,
    { acceptTarget }: { acceptTarget?: string | undefined },
  ): Promise<ConnectionView> {
    await this.#mayChange();
    const managed = this.#find(id);
    if (acceptTarget !== undefined) checkStillNamed(viewOf(managed), acceptTarget);
    if (acceptTarget !== undefined && (await this.#wanted.confirm(managed.spec, acceptTarget)))
      this.#follow();
    else managed.restart();
    this.#clockProblem.forget([id]);
    return viewOf(this.#find(id));
  }

  /** Where the file is wrong, what the store has runs. */
  async reload(): Promise<Changes> {
    const reading = this.#wanted.readFile();
    await reading.catch(() => undefined);
    const changes = this.#follow();
    await reading;
    return changes;
  }

  /** The files beside hcm.yaml that hold connection strings. */
  get keyFiles(): readonly string[] {
    return this.#keyFiles.paths;
  }

  /** Such a file was changed: its connections take the new key. One that is no good changes nothing, and is told. */
  async keyFileChanged(path: string): Promise<void> {
    if (await this.#keyFiles.changed(path)) this.#tell('key-renewed', { file: path });
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
    return this.#doors.invite();
  }

  get readiness(): Readiness {
    return readinessOf(this.list(), { stopping: this.#isStopping, unread: !this.#wanted.isKnown });
  }

  subscribe(onEvent: (event: EventView) => void): () => void {
    return this.#log.subscribe(onEvent);
  }

  /** Resolves with what is wrong with its store. Nothing is open when it rejects. */
  async #takeFolder(): Promise<HcmError[]> {
    try {
      await this.#doors.open(this, this.#options);
      return await this.#options.store.takeOver();
    } catch (error) {
      await this.#doors.close();
      await this.#log.close();
      throw error;
    }
  }

  /** Once, when no connection is left. */
  async #end(): Promise<void> {
    this.#history.stop();
    await this.#doors.close();
    this.#tell('stopped', {});
    await this.#log.close();
  }

  #follow(): Changes {
    const running = this.connections.map(({ spec }) => spec);
    const changes = this.#manager.follow(this.#wanted.specs(running));
    const done = Object.values(changes).flat();
    this.#clockProblem.forget(done);
    this.#keyFiles.follow();
    if (done.length > 0) this.#tell('followed', { ...changes });
    return changes;
  }

  /** Nothing is changed before file and store were read, nor when it would not be followed any more. */
  async #mayChange(): Promise<void> {
    await this.#starting;
    if (!this.#isStopping) return;
    throw new HcmError('HCM_NOT_RUNNING', 'The manager ends, and takes nothing any more.', {
      details: { next: 'Type it again when the next one runs' },
    });
  }

  #find(id: string): ManagedConnection {
    const managed = this.#manager.get(id);
    if (managed) return managed;
    throw new HcmError('HCM_RESOURCE_NOT_FOUND', `The manager has no connection "${id}".`, {
      details: { id, next: 'hcm list' },
    });
  }

  #tell(event: string, fields: Record<string, unknown>): void {
    this.#log.append({ event, time: this.#now(), ...fields });
  }

  #now(): string {
    return isoTime(this.#options.clock.nowMs());
  }
}

/** What was confirmed is what was shown: Azure may name another one by now. @throws HcmError HCM_RESOURCE_CONFLICT. */
function checkStillNamed({ connection, target }: ConnectionView, shown: string): void {
  if (target === shown) return;
  const now = target === undefined ? 'no target' : target;
  throw new HcmError(
    'HCM_RESOURCE_CONFLICT',
    `Azure names ${now} for ${connection} by now, and not ${shown}.`,
    {
      details: { connection, next: `Look at it again: hcm show ${connection}` },
    },
  );
}
