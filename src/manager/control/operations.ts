/**
 * What can be asked of a running manager, and the shapes of its answers: the contract of the control API, version 1.
 * The control socket and the web page serve it; commands and tests call it through the control client. Times are ISO
 * 8601 in UTC. No answer holds a secret.
 */
import type { ProofView } from '../../lib/services/doctor/proof-view.ts';
import type { ErrorCode } from '../../protocol/errors.ts';

export const API_VERSION = 1;
/** On every answer: a client of another version says so, instead of misunderstanding what it reads. */
export const VERSION_HEADER = 'Hcm-Api-Version';

export interface ReasonView {
  readonly code: ErrorCode;
  readonly message: string;
  /** What to do about it. */
  readonly next?: string | undefined;
}

export interface StreamView {
  readonly stream: string;
  readonly since: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly target?: string | undefined;
  readonly remote?: string | undefined;
}

export interface ConnectionView {
  /** `listen NAMESPACE/NAME` or `forward NAMESPACE/NAME`. */
  readonly id: string;
  readonly role: 'listener' | 'forward';
  readonly connection: string;
  readonly source: 'file' | 'store';
  readonly state: 'connecting' | 'online' | 'degraded' | 'target-down' | 'waiting' | 'failed' | 'stopped';
  readonly since: string;
  readonly reason?: ReasonView | undefined;
  /** Of `waiting`: when it tries again. Of `target-down`: when the target is asked again. */
  readonly retryAt?: string | undefined;
  readonly target?: string | undefined;
  /** The target that Azure names now, where another one was confirmed: nothing is forwarded there until `restart` accepts it. */
  readonly unconfirmedTarget?: string | undefined;
  readonly binds: readonly string[];
  /** How its target is asked whether it is there, and how often while all is well; absent when it is not. */
  readonly healthCheck?: { readonly check: string; readonly everySeconds: number } | undefined;
  readonly openStreams: number;
  readonly opened: number;
  readonly refused: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly reconnects: number;
  /** How long the newest openings of streams took, in ms; absent before the first. */
  readonly setUpMs?: { readonly p50: number; readonly p99: number } | undefined;
}

export interface ErrorView extends ReasonView {
  readonly at: string;
  readonly stream?: string | undefined;
}

export interface ConnectionDetails extends ConnectionView {
  readonly streams: readonly StreamView[];
  readonly errors: readonly ErrorView[];
}

/**
 * Of `hcm add`: `keychain`, or `file`, which is `secrets.json` in the folder of the store. Of hcm.yaml: a `credential` that
 * systemd hands over, a `key-file`, a `variable` or a text.
 */
export type KeyPlace = 'keychain' | 'file' | 'credential' | 'key-file' | 'variable';

export interface KeysView {
  /** As `--secrets` says. */
  readonly choice: 'auto' | 'keychain' | 'file';
  /** Where a key goes that is added now. */
  readonly added: 'keychain' | 'file';
  /** With `auto`: why not to the keychain. */
  readonly because?: string | undefined;
  /** How many connections have their key where; who has none, or is given one by Azure, is not counted. */
  readonly held: Readonly<Partial<Record<KeyPlace, number>>>;
}

export interface ManagerView {
  readonly apiVersion: number;
  readonly version: string;
  readonly pid: number;
  readonly startedAt: string;
  /** The folder of its store, and the hcm.yaml that it follows. */
  readonly folder: string;
  readonly file?: string | undefined;
  /** Where its web server answers: `http://127.0.0.1:PORT`. Absent: it has none. */
  readonly web?: string | undefined;
  /** Where keys lie. Absent: a manager that was started before an update that brought this. */
  readonly keys?: KeysView | undefined;
  /** What is wrong with the manager itself: a file that it cannot read, a store that was kept aside. */
  readonly problems: readonly ReasonView[];
}

/** One line of the stream of events: a change of state, or what a tunnel told. */
export interface EventView {
  readonly event: string;
  readonly time: string;
  readonly id?: string | undefined;
  readonly [field: string]: unknown;
}

/**
 * The newest hour, one sample each `everyMs`. `times` are oldest first; each series is as long as `times`, with null
 * where the connection did not exist.
 */
export interface SamplesView {
  readonly everyMs: number;
  readonly times: readonly string[];
  /** By id. Connections that are gone stay until their last sample is an hour old. */
  readonly connections: Readonly<Record<string, SeriesView>>;
}

export interface SeriesView {
  /** Totals since the manager's start, which never fall; not rates. */
  readonly bytesIn: readonly (number | null)[];
  readonly bytesOut: readonly (number | null)[];
  readonly openStreams: readonly (number | null)[];
  /** Median of the openings since the sample before, in ms; null: there were none. */
  readonly setUpMs: readonly (number | null)[];
}

/** A way into the web page: works once, until `expiresAt`. The URL is a secret until then. */
export interface DashboardInvitation {
  readonly url: string;
  readonly expiresAt: string;
}

/** What `hcm add` sends. The connection string is a secret: it goes to the store of secrets and nowhere else. */
export interface AddRequest {
  readonly role: 'listener' | 'forward';
  readonly connection: string;
  readonly connectionString?: string | undefined;
  /** The target that Azure names, confirmed by adding it; of a listener that is not told its target. */
  readonly pinnedTarget?: string | undefined;
  /** Further keys of an entry of hcm.yaml's section `manager:`. */
  readonly entry: Readonly<Record<string, unknown>>;
}

export interface Added {
  readonly connection: ConnectionView;
  /** False: it was there already, exactly so. */
  readonly changed: boolean;
  /** It was there, with another key or other settings. */
  readonly replaced: boolean;
}

/** Doctor's proofs of a connection, in their order, and as the last one its state in the manager. */
export interface TestReport {
  readonly id: string;
  readonly connection: string;
  readonly role: 'listener' | 'forward';
  /** No proof failed; warnings are no failure. */
  readonly passed: boolean;
  readonly proofs: readonly ProofView[];
}

/** Proofs of an address, from where the manager is. */
export type EndpointReport = Pick<TestReport, 'passed' | 'proofs'> & { readonly endpoint: string };

/** Results of proofs that were made for another connection of the namespace, by name: not made again. */
export type KnownResults = Readonly<Partial<Record<ProofView['name'], ProofView['result']>>>;

/** What runs, as section `manager:` of hcm.yaml. No key is in it: variables stand for them. */
export interface ManagerExport {
  readonly manager: object;
  readonly secrets: readonly {
    readonly variable: string;
    readonly connection: string;
    readonly role: 'listener' | 'forward';
  }[];
}

export interface ManagerOperations {
  describe(): ManagerView;
  /** `detailsOf`: the id of the one that comes with its details, if it is there (still). */
  list(detailsOf?: string): readonly (ConnectionView | ConnectionDetails)[];
  /** @throws HcmError HCM_RESOURCE_NOT_FOUND. */
  show(id: string): ConnectionDetails;
  /** @throws HcmError with codes of bad input, HCM_RESOURCE_CONFLICT, HCM_STATE_UNWRITABLE. */
  add(request: AddRequest): Promise<Added>;
  /**
   * The target that Azure names now for a listener that is about to be added, to be confirmed by whoever adds it. Stores
   * nothing. @throws HcmError HCM_TARGET_MISSING when it names none; of bad input, of the relay and of Azure.
   */
  namedTarget(request: AddRequest): Promise<{ target: string }>;
  /** @throws HcmError HCM_RESOURCE_NOT_FOUND, HCM_RESOURCE_CONFLICT for one that a file declares. */
  remove(id: string): Promise<void>;
  /**
   * Opens it anew. `acceptTarget`: the target that Azure names now, as whoever confirms it has seen it; it is the confirmed one
   * from then on. Rejects with HCM_RESOURCE_CONFLICT when Azure names another one by now.
   */
  restart(id: string, options: { acceptTarget?: string | undefined }): Promise<ConnectionView>;
  /** Reads the file again. @throws HcmError HCM_CONFIG_INVALID: nothing has changed then. */
  reload(): Promise<{ started: readonly string[]; reopened: readonly string[]; stopped: readonly string[] }>;
  export(): ManagerExport;
  /** Disturbs nothing that runs, and takes two minutes at most. @throws HcmError HCM_RESOURCE_NOT_FOUND. */
  test(id: string, known?: KnownResults): Promise<TestReport>;
  /** HOST:PORT, or the host of a namespace. @throws HcmError HCM_TARGET_INVALID. */
  testEndpoint(endpoint: string): Promise<EndpointReport>;
  /** The newest lines of the log, oldest first. */
  logs(lines: number): readonly EventView[];
  /** `since`: only samples after this ISO time; without it, all. */
  samples(since?: string): SamplesView;
  /** On the control socket alone. @throws HcmError HCM_NOT_RUNNING when there is no web server. */
  dashboard(): Promise<DashboardInvitation>;
  /** Calls back at each event until the returned function is called. */
  subscribe(onEvent: (event: EventView) => void): () => void;
}
