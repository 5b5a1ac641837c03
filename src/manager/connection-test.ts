/**
 * Tests a connection of the manager: doctor's proofs with the manager's own key and network, then what the manager
 * itself makes of it. The tunnel that runs is left alone: the proofs have connections of their own.
 */
import { examine } from '../lib/services/doctor/examine.ts';
import { examineEndpoint, parseEndpoint } from '../lib/services/doctor/endpoint.ts';
import { viewOfProof, type ProofView } from '../lib/services/doctor/proof-view.ts';
import {
  failed,
  ok,
  skipped,
  type Finding,
  type ProofId,
  type ProofReport,
} from '../lib/services/doctor/report.ts';
import type { LogicalPort, Machine, ProxySetting, Scene } from '../lib/services/doctor/scene.ts';
import type { Dns } from '../lib/services/firewall/dns.ts';
import { HcmError } from '../protocol/errors.ts';
import type { Clock } from '../tunnel/clock.ts';
import { asHcmError } from '../tunnel/emitter.ts';
import { orAborted } from '../tunnel/network-errors.ts';
import type { Connection, NetworkOptions } from '../tunnel/options.ts';
import type { EndpointReport, KnownResults, TestReport } from './control/operations.ts';
import type { ManagedConnection } from './managed-connection.ts';
import type { ConnectionSpec } from './tunnel.ts';
import { viewOf } from './views.ts';

/** The slowest of all proofs, one after the other: two waits of 40 s for a relay, the rest is quick or fails. */
const LIMIT_MS = 120_000;

export interface ConnectionTesterOptions {
  /** As for the tunnel: where the relay is, and how to prove who we are. */
  connect: (spec: ConnectionSpec, signal: AbortSignal) => Promise<Connection>;
  network: NetworkOptions;
  machine: Machine;
  proxySetting: ProxySetting;
  dns: Dns;
  clock: Clock;
  /** For all proofs together, in ms. Default 2 min. */
  limitMs?: number | undefined;
}

export class ConnectionTester {
  readonly #options: ConnectionTesterOptions;
  readonly #running = new Map<string, Promise<TestReport>>();
  readonly #stopping = new AbortController();

  constructor(options: ConnectionTesterOptions) {
    this.#options = options;
  }

  /**
   * Whoever asks while a test of the connection runs gets its result. Never rejects for what is found.
   * @param known proofs that need not be made again.
   */
  test(managed: ManagedConnection, known: KnownResults = {}): Promise<TestReport> {
    const key = `${managed.spec.id}\n${JSON.stringify(known)}`;
    const running =
      this.#running.get(key) ?? this.#run(managed, known).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return running;
  }

  /** @throws HcmError HCM_TARGET_INVALID. */
  async testEndpoint(text: string): Promise<EndpointReport> {
    const endpoint = parseEndpoint(text);
    const { network, machine, proxySetting, dns, clock } = this.#options;
    const scene = { network, machine, proxySetting, dns, clock, signal: this.#stopping.signal };
    const reports = await examineEndpoint(endpoint, scene);
    const proofs = reports.map(viewOfProof);
    return { endpoint: text, passed: isPassed(proofs), proofs };
  }

  /** Ends all tests that run. */
  stop(): void {
    this.#stopping.abort(new HcmError('HCM_ABORTED', 'The manager ends.'));
  }

  async #run(managed: ManagedConnection, known: KnownResults): Promise<TestReport> {
    const { clock, limitMs = LIMIT_MS } = this.#options;
    const late = new AbortController();
    const cancel = clock.setTimer(limitMs, () =>
      late.abort(new HcmError('HCM_WAIT_TIMEOUT', `The test was not done within ${limitMs / 1_000} s.`)),
    );
    const signal = AbortSignal.any([late.signal, this.#stopping.signal]);
    const reports: ProofReport[] = [];
    try {
      await this.#prove(managed.spec, { known, reports, signal });
    } catch (error) {
      // No key to be had, or no time left: what was found until then still counts.
      reports.push(report('token', 'Token and rights', failed(asHcmError(error))));
    } finally {
      cancel();
    }
    reports.push(report('state', 'In the manager', stateFinding(managed)));
    const { role, connection, id } = managed.spec;
    const proofs = reports.map(viewOfProof);
    return { id, connection, role, passed: isPassed(proofs), proofs };
  }

  async #prove(
    spec: ConnectionSpec,
    { known, reports, signal }: { known: KnownResults; reports: ProofReport[]; signal: AbortSignal },
  ): Promise<void> {
    const { connect, network, machine, proxySetting, dns, clock } = this.#options;
    const connection = await orAborted(connect(spec, signal), signal);
    const scene: Scene = {
      ...{ network, machine, proxySetting, dns, clock, signal },
      ...{ connections: [connection], side: spec.role === 'listener' ? 'listener' : 'sender' },
      ...{ target: targetOf(spec), ports: portsOf(spec), allow: allowOf(spec) },
    };
    const results = new Map(Object.entries(known) as [ProofId, ProofView['result']][]);
    await examine(scene, { known: results, onReport: (found) => void reports.push(found) });
  }
}

function isPassed(proofs: readonly ProofView[]): boolean {
  return proofs.every(({ result }) => result !== 'failed');
}

/** Where a listener leads by what was said here; undefined: what Azure says, of a forward nothing. */
function targetOf({ declared, pinned }: ConnectionSpec): Scene['target'] {
  if (declared.kind === 'forward' || declared.listener.targets.dialect !== 'raw') return undefined;
  return declared.listener.targets.target ?? (pinned && { kind: 'tcp', ...pinned });
}

/** Whoever may write the metadata in Azure must not lead a test where no stream is let. */
function allowOf({ declared }: ConnectionSpec): Scene['allow'] {
  return declared.kind === 'listener' ? declared.listener.allow : undefined;
}

function portsOf({ declared }: ConnectionSpec): LogicalPort[] | undefined {
  if (declared.kind === 'listener') {
    const { targets } = declared.listener;
    return targets.dialect === 'raw'
      ? undefined
      : [...targets.ports].map(([name, target]) => ({ name, target }));
  }
  const { binds } = declared.forward;
  if (binds.kind !== 'azbridge') return undefined;
  return [...binds.ports].flatMap(([name, { kind }]) => (kind === 'udp' ? [] : [{ name }]));
}

function stateFinding(managed: ManagedConnection): Finding {
  const { state, since, reason, binds, target } = viewOf(managed);
  const where = binds.length > 0 ? `, bound to ${binds.join(', ')}` : target ? `, leads to ${target}` : '';
  if (reason === undefined) {
    const text = `${state} since ${since}${state === 'online' ? where : ''}`;
    return state === 'online' ? ok(text, { state }) : skipped(text);
  }
  const { code, message, next } = reason;
  const details = next === undefined ? {} : { next };
  return failed(new HcmError(code, `${state} since ${since}: ${message}`, { details }), undefined, { state });
}

function report(proof: ProofId, title: string, finding: Finding): ProofReport {
  return { ...finding, proof, title, ms: 0 };
}
