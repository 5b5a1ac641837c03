/** Something that a dialog asks of the manager: that it is on its way, and why it did not happen. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../net/api.ts';
import { usePage } from './page-context.ts';

interface Action {
  readonly busy: boolean;
  readonly error: ApiError | undefined;
  /** Does nothing while another one is on its way. */
  readonly run: (action: () => Promise<void>) => Promise<void>;
}

/** `explain`: true when it has told the error itself. An error of a dialog that was closed meanwhile is a notice. */
export function useAction(explain: (error: ApiError) => boolean = () => false): Action {
  const page = usePage();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const closed = useRef(false);
  useEffect(() => () => void (closed.current = true), []);
  const run = async (action: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await action();
    } catch (failure) {
      const why = failure as ApiError;
      if (closed.current) page.complain(why.message, why.next);
      else if (!explain(why)) setError(why);
    }
    setBusy(false);
  };
  return { busy, error, run };
}
