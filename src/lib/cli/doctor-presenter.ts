/** How a diagnosis is shown: a line for each proof as it comes, what to do about those that failed, and its JSON. */
import type { TestReport } from '../../manager/control/operations.ts';
import { proofOfView } from '../services/doctor/proof-view.ts';
import { firstFailure, type ProofReport } from '../services/doctor/report.ts';
import type { Output } from './output.ts';
import { docsLink, toUserError, type UserError } from './to-user-error.ts';

export interface Diagnosis {
  /** HOST/NAME; undefined when only the machine was looked at. */
  readonly connection: string | undefined;
  readonly hcmVersion: string;
  readonly time: string;
  readonly proofs: readonly ProofReport[];
  /** Of a running manager: its connections, where none was named. */
  readonly managed?: readonly TestReport[] | undefined;
}

const MARKS = { ok: '✓', failed: '✗', warning: '!', skipped: '-' } as const;
/** The longest title, and a gap. */
const TITLE_CHARS = 28;
const INDENT = ' '.repeat(TITLE_CHARS + 2);

type Paint = (text: string, result: ProofReport['result']) => string;

/** One proof, in lines; the remedy stands below. */
export function proofLines(report: ProofReport, inSameCloud: (command: string) => string): string[] {
  const seen = sentence(report.seen);
  const first = `${MARKS[report.result]} ${report.title.padEnd(TITLE_CHARS)}${seen}`;
  if (!('error' in report)) return [first];
  const { code, next } = toUserError(report.error);
  return [
    first,
    ...(report.cause === undefined ? [] : [`${INDENT}${report.cause}`]),
    `${INDENT}Next: ${inSameCloud(next)}`,
    `${INDENT}${code}, see ${docsLink(code)}`,
  ];
}

export function printProof(output: Output, report: ProofReport, isTerminal: boolean): void {
  const paint = isTerminal ? paintWith(output) : (text: string) => text;
  const [first = '', ...rest] = proofLines(report, (command) => output.inSameCloud(command));
  output.answer(paint(first, report.result));
  for (const line of rest) output.answer(line);
}

/** The one thing to do first. False: nothing failed, and nothing is said. */
export function sayFailure(output: Output, proofs: readonly ProofReport[]): boolean {
  const failure = firstFailure(proofs);
  if (failure === undefined) return false;
  const { bold, red } = output.paint;
  const { code, next } = toUserError(failure.error);
  output.say(`\n${red('Failed first:')} ${failure.title} (${code})`);
  output.say(`${bold('Next:')} ${output.inSameCloud(next)}`);
  return true;
}

/** Those of the manager's connections too, with the connection in their titles. */
export function allProofs({ proofs, managed = [] }: Diagnosis): ProofReport[] {
  const found = managed.flatMap(({ connection, proofs: views }) =>
    views.map(proofOfView).map((proof) => ({ ...proof, title: `${proof.title} of ${connection}` })),
  );
  return [...proofs, ...found];
}

/** A connection of the manager, headed by its name. */
export function managedHeading({ connection, role }: Pick<TestReport, 'connection' | 'role'>): string {
  return `\n${connection} (${role})`;
}

/** What it comes to. */
export function sayVerdict(output: Output, diagnosis: Diagnosis): void {
  const { connection, managed } = diagnosis;
  const proofs = allProofs(diagnosis);
  if (sayFailure(output, proofs)) return;
  const warnings = proofs.filter(({ result }) => result === 'warning').length;
  const { green, yellow } = output.paint;
  const noted = warnings === 0 ? '' : yellow(` ${warnings} warning${warnings === 1 ? '' : 's'}.`);
  if (managed !== undefined) {
    const count = `${managed.length} connection${managed.length === 1 ? '' : 's'}`;
    return output.say(`\n${green(`Nothing is wrong with the manager and its ${count}.`)}${noted}`);
  }
  if (connection === undefined) {
    output.say(`\n${green('Nothing is wrong with this machine.')}${noted}`);
    return output.next('hcm doctor NAMESPACE/NAME');
  }
  const isWhole = proofs.some(({ proof, result }) => proof === 'probe' && result === 'ok');
  const left = isWhole ? '' : ' Not tried: a connection through the relay.';
  output.say(`\n${green('Nothing that was tried failed.')}${left}${noted}`);
}

/** The status of the first proof that failed. */
export function exitStatusOf(proofs: readonly ProofReport[]): number {
  const failure = firstFailure(proofs);
  return failure === undefined ? 0 : toUserError(failure.error).exitStatus;
}

/** The document of docs/json.md. */
export function diagnosisJson(diagnosis: Diagnosis): Record<string, unknown> {
  const { connection, hcmVersion, time, proofs, managed } = diagnosis;
  const all = allProofs(diagnosis);
  const failure = firstFailure(all);
  const hasWarning = all.some(({ result }) => result === 'warning');
  return {
    ...(connection === undefined ? {} : { connection }),
    result: failure !== undefined ? 'failed' : hasWarning ? 'warning' : 'ok',
    exitStatus: exitStatusOf(all),
    ...(failure === undefined ? {} : { failed: failure.proof }),
    ...{ time, hcmVersion },
    proofs: proofs.map(proofJson),
    ...(managed === undefined ? {} : { connections: managed }),
  };
}

function proofJson(report: ProofReport): object {
  const { proof, title, result, seen, ms, facts } = report;
  const error: UserError | undefined = 'error' in report ? toUserError(report.error) : undefined;
  return {
    ...{ proof, title, result, seen, ms },
    ...('cause' in report && report.cause !== undefined ? { cause: report.cause } : {}),
    ...(error === undefined ? {} : { code: error.code, exitStatus: error.exitStatus, next: error.next }),
    ...(error?.azure === undefined ? {} : { azure: error.azure }),
    ...('on' in report && report.on !== undefined ? { on: report.on } : {}),
    ...(facts === undefined ? {} : { facts }),
  };
}

function paintWith({ paint }: Output): Paint {
  const colors = { ok: paint.green, failed: paint.red, warning: paint.yellow, skipped: paint.dim };
  return (text, result) => `${colors[result](text.slice(0, 1))}${text.slice(1)}`;
}

/** Messages of errors end with a dot or not. */
function sentence(text: string): string {
  return text.replace(/\.$/, '');
}
