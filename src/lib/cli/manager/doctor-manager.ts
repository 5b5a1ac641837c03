/**
 * The diagnosis of a running manager: all of its connections, each tested by the manager itself, and what it says of
 * itself for support. What is the same for all connections of a namespace is proven with the first of them.
 */
import type { ControlClient } from '../../../manager/control/control-client.ts';
import type { ConnectionView, KnownResults, TestReport } from '../../../manager/control/operations.ts';
import { HcmError } from '../../../protocol/errors.ts';
import type { ProofReport } from '../../services/doctor/report.ts';
import { mapAtMost } from '../../services/parallel.ts';
import { readLogFile } from './log-file.ts';

/** The way to the relay does not depend on the connection, and neither does the machine. */
const OF_NAMESPACE = ['machine', 'clock', 'dns', 'proxy', 'tcp', 'gateways', 'tls', 'websocket'] as const;
/** At a time: each may hold a connection to the relay for a while. */
const PARALLEL = 4;
const BUNDLED_LINES = 5_000;

/** Undefined when none runs. Rejects when one runs that cannot be asked. */
export async function managerProof(client: ControlClient): Promise<ProofReport | undefined> {
  const about = { proof: 'manager', title: 'Manager', ms: 0 } as const;
  try {
    const { version, pid, startedAt, problems } = await client.describe();
    const seen = `hcm ${version}, process ${pid}, since ${startedAt}`;
    const [problem] = problems;
    if (problem === undefined) return { ...about, result: 'ok', seen, facts: { version, pid, startedAt } };
    const { code, message, next } = problem;
    const error = new HcmError(code, message, next === undefined ? {} : { details: { next } });
    return { ...about, result: 'warning', seen: message, cause: undefined, error };
  } catch (error) {
    if (!(error instanceof HcmError)) throw error;
    if (error.code === 'HCM_NOT_RUNNING' && error.details['cause'] !== 'ETIMEDOUT') return undefined;
    return { ...about, result: 'failed', seen: error.message, cause: undefined, error };
  }
}

/** In the order of the manager's list; those that are removed meanwhile are left out. */
export async function testAll(
  client: ControlClient,
  onBegin: (connection: string) => void,
): Promise<TestReport[]> {
  const connections = await client.list();
  const reports = new Map<string, TestReport>();
  const test = async ({ id, connection }: ConnectionView, known: KnownResults) => {
    onBegin(connection);
    const report = await client.test(id, known).catch((error: unknown) => {
      if (error instanceof HcmError && error.code === 'HCM_RESOURCE_NOT_FOUND') return undefined;
      throw error;
    });
    if (report) reports.set(id, report);
    return report;
  };
  for (const [first, ...others] of byNamespace(connections)) {
    const report = first && (await test(first, { machine: 'passed' }));
    const known = { machine: 'passed', ...(report && wayOf(report)) } as const;
    await mapAtMost(PARALLEL, others, (other) => test(other, known));
  }
  return connections.flatMap(({ id }) => reports.get(id) ?? []);
}

/** Files of a bundle: without a manager its log alone, where there is one. */
export async function managerFiles(
  client: ControlClient,
  logFolder: string,
): Promise<Record<string, string>> {
  try {
    const [manager, connections, log] = await Promise.all([
      client.describe(),
      client.list(),
      client.logs(BUNDLED_LINES),
    ]);
    const details = await Promise.all(connections.map(({ id }) => client.show(id).catch(() => undefined)));
    return { 'manager.json': json(manager), 'connections.json': json(details), 'log.ndjson': ndjson(log) };
  } catch {
    const log = await readLogFile(logFolder, { lines: BUNDLED_LINES, filter: () => true });
    return log === undefined ? {} : { 'log.ndjson': ndjson(log) };
  }
}

function byNamespace(connections: readonly ConnectionView[]): ConnectionView[][] {
  const groups = new Map<string, ConnectionView[]>();
  for (const one of connections) {
    const namespace = one.connection.toLowerCase().replace(/\/.*$/s, '');
    groups.set(namespace, [...(groups.get(namespace) ?? []), one]);
  }
  return [...groups.values()];
}

function wayOf({ proofs }: TestReport): KnownResults {
  const names: readonly string[] = OF_NAMESPACE;
  const shared = proofs.filter(({ name }) => names.includes(name));
  return Object.fromEntries(shared.map(({ name, result }) => [name, result]));
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function ndjson(lines: readonly object[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
