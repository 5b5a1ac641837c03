/** Runs the manager's own test of a connection and shows each proof with its result and remedy. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { TestReport } from '../../../src/manager/control/operations.ts';
import { api, type ApiError } from '../net/api.ts';
import { Dialog } from './dialog.tsx';
import { Failure } from './failure.tsx';
import { StateIcon, Symbol } from './icons.tsx';
import { Prose } from './text.tsx';

type Result = TestReport['proofs'][number]['result'];

const RESULTS: Readonly<Record<Result, string>> = {
  passed: 'Passed',
  failed: 'Failed',
  warning: 'Warning',
  skipped: 'Skipped',
};

/** Of what was well before it, so much stays in sight. */
const ABOVE_PX = 80;

export function TestDialog({
  id,
  connection,
  onClose,
}: {
  id: string;
  connection: string;
  onClose: () => void;
}) {
  const [report, setReport] = useState<TestReport>();
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const closed = useRef<AbortController>(undefined);
  const list = useRef<HTMLOListElement>(null);
  // What is wrong comes first to the eye; the order of the proofs stays.
  useEffect(() => {
    const wrong = list.current?.querySelector<HTMLElement>('[data-result=failed], [data-result=warning]');
    if (list.current && wrong) list.current.scrollTop = wrong.offsetTop - list.current.offsetTop - ABOVE_PX;
  }, [report]);
  const run = useCallback(async () => {
    const { signal } = (closed.current ??= new AbortController());
    setBusy(true);
    setError(undefined);
    setReport(undefined);
    try {
      setReport(await api.test(id, signal));
    } catch (failure) {
      setError(failure as ApiError);
    }
    setBusy(false);
  }, [id]);
  useEffect(() => {
    void run();
    return () => closed.current?.abort();
  }, [run]);
  return (
    <Dialog title={`Test of ${connection}`} onClose={onClose}>
      {(close) => (
        <>
          <p role="status" class="verdict" data-passed={report?.passed}>
            {busy && 'Proving every step to the target …'}
            {report &&
              (report.passed
                ? 'All is well: every step is proven.'
                : 'Something is wrong; what, and what to do, stands below.')}
          </p>
          {report && (
            <ol ref={list} class="proofs" tabIndex={0} aria-label="Proofs">
              {report.proofs.map((proof) => (
                <li key={proof.name} data-result={proof.result}>
                  <span class="result">
                    <ResultIcon result={proof.result} />
                    <span class="unseen">{RESULTS[proof.result]}: </span>
                  </span>
                  <div>
                    <p>
                      <b>{proof.title}</b>
                      {proof.result !== 'passed' && (
                        <span class="muted"> · {RESULTS[proof.result].toLowerCase()}</span>
                      )}
                    </p>
                    <p class="message">
                      {proof.text} {proof.code && <code class="code">{proof.code}</code>}
                    </p>
                    {proof.cause && <p class="muted">{proof.cause}</p>}
                    {proof.next && (
                      <p class="next">
                        <strong>Next</strong> <Prose text={proof.next} />
                      </p>
                    )}
                  </div>
                </li>
              ))}
            </ol>
          )}
          {error && <Failure error={error} />}
          <div class="dialog-foot">
            <button type="button" class="button" aria-disabled={busy} onClick={() => void (busy || run())}>
              <Symbol name="restart" /> {busy ? 'Testing …' : 'Test again'}
            </button>
            <button type="button" class="button primary" onClick={close} data-first>
              Close
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}

function ResultIcon({ result }: { result: Result }) {
  switch (result) {
    case 'passed':
      return <StateIcon state="online" />;
    case 'failed':
      return <StateIcon state="failed" />;
    case 'warning':
      return <StateIcon state="degraded" />;
    case 'skipped':
      return <Symbol name="skip" />;
  }
}
