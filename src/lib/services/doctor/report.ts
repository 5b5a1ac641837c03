/** What a diagnosis says: one report for each proof, in their order. */
import type { HcmError } from '../../../protocol/errors.ts';

export type ProofId =
  | 'machine'
  | 'clock'
  | 'dns'
  | 'proxy'
  | 'tcp'
  | 'gateways'
  | 'tls'
  | 'websocket'
  | 'token'
  | 'entity'
  | 'metadata'
  | 'listeners'
  | 'target'
  | 'probe'
  /** Whether the manager itself has something to complain of. */
  | 'manager'
  /** What the manager says of a connection that it runs. */
  | 'state';

/** Facts for programs. No secret may ever be among them. */
export type Facts = Readonly<Record<string, unknown>>;

/** What one proof found. */
export type Finding =
  | { readonly result: 'ok'; readonly seen: string; readonly facts?: Facts }
  | {
      readonly result: 'failed' | 'warning';
      readonly seen: string;
      /** What it means, where `seen` alone does not tell. */
      readonly cause?: string | undefined;
      /** Its code names the remedy. */
      readonly error: HcmError;
      readonly facts?: Facts;
    }
  | {
      readonly result: 'skipped';
      readonly seen: string;
      /** The failed proof that this one stands on. */
      readonly on?: ProofId | undefined;
      readonly facts?: Facts;
    };

export type ProofReport = Finding & { readonly proof: ProofId; readonly title: string; readonly ms: number };

export function ok(seen: string, facts?: Facts): Finding {
  return { result: 'ok', seen, ...(facts && { facts }) };
}

/** Works, and still somebody should know. */
export function warning(error: HcmError, cause?: string, facts?: Facts): Finding {
  return { result: 'warning', seen: error.message, cause, error, ...(facts && { facts }) };
}

export function failed(error: HcmError, cause?: string, facts?: Facts): Finding {
  return { result: 'failed', seen: error.message, cause, error, ...(facts && { facts }) };
}

export function skipped(seen: string, on?: ProofId): Finding {
  return { result: 'skipped', seen, on };
}

/** The first proof that failed: what the whole diagnosis says. */
export function firstFailure(
  reports: readonly ProofReport[],
): (ProofReport & { result: 'failed' }) | undefined {
  return reports.find((report) => report.result === 'failed') as
    (ProofReport & { result: 'failed' }) | undefined;
}
