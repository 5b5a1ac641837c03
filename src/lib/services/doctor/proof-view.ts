/**
 * One proof as it travels: from the manager that made it to whoever shows it, as plain JSON and without loss. Holds no
 * secret, as no error does.
 */
import { HcmError, type ErrorCode, type ErrorDetails } from '../../../protocol/errors.ts';
import { redact } from '../../../protocol/redact.ts';
import { remedyOf } from '../../error-table.ts';
import type { Facts, Finding, ProofId, ProofReport } from './report.ts';

export interface ProofView {
  readonly name: ProofId;
  readonly title: string;
  readonly result: 'passed' | 'failed' | 'warning' | 'skipped';
  /** What was seen. */
  readonly text: string;
  readonly ms: number;
  /** What it means, where `text` alone does not tell. */
  readonly cause?: string | undefined;
  /** Of what failed, or is worth a warning: its code, and what to do about it. */
  readonly code?: ErrorCode | undefined;
  readonly next?: string | undefined;
  readonly details?: ErrorDetails | undefined;
  /** The failed proof that a skipped one stands on. */
  readonly on?: ProofId | undefined;
  readonly facts?: Facts | undefined;
}

export function viewOfProof(report: ProofReport): ProofView {
  const { proof: name, title, seen, ms, facts } = report;
  const common = { name, title, text: redact(seen), ms, ...(facts && { facts }) };
  if (report.result === 'ok') return { ...common, result: 'passed' };
  if (report.result === 'skipped')
    return { ...common, result: 'skipped', ...(report.on === undefined ? {} : { on: report.on }) };
  const { result, cause, error } = report;
  return {
    ...{ ...common, result, ...(cause === undefined ? {} : { cause: redact(cause) }) },
    ...{ code: error.code, next: redact(remedyOf(error)), details: redacted(error.details) },
  };
}

/** The report that it was. */
export function proofOfView(view: ProofView): ProofReport {
  const { name: proof, title, ms } = view;
  return { ...findingOf(view), proof, title, ms };
}

function findingOf({ result, text: seen, cause, code, next, details, on, facts }: ProofView): Finding {
  const more = facts && { facts };
  if (result === 'passed') return { result: 'ok', seen, ...more };
  if (result === 'skipped') return { result, seen, on, ...more };
  const error = new HcmError(code ?? 'HCM_UNEXPECTED', seen, {
    details: { ...details, ...(next === undefined ? {} : { next }) },
  });
  return { result, seen, cause, error, ...more };
}

function redacted(details: ErrorDetails): ErrorDetails {
  const plain = (value: ErrorDetails[string]) => (typeof value === 'string' ? redact(value) : value);
  return Object.fromEntries(Object.entries(details).map(([name, value]) => [name, plain(value)]));
}
