/** Something that a dialog asks of the manager: that it is on its way, and why it did not happen. */
import type { RefObject } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { ApiError } from '../net/api.ts';
import { usePage } from './page-context.ts';

interface Action {
  /** Of the dialog that asks. */
  readonly dialog: RefObject<HTMLDialogElement | null>;
  readonly busy: boolean;
  readonly error: ApiError | undefined;
  /** Does nothing while another one is on its way. */
  readonly run: (action: () => Promise<void>) => Promise<void>;
}

/** `explain`: true when it has told the error itself. An error of a dialog that was closed meanwhile is a notice. */
export function useAction(explain: (error: ApiError) => boolean = () => false): Action {
  const page = usePage();
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const run = async (action: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await action();
    } catch (failure) {
      const why = failure as ApiError;
      // The element knows at once; its event comes with the next frame, and what came before that would be told to nobody.
      if (!dialog.current?.open) page.complain(why.message, why.next);
      else if (!explain(why)) setError(why);
    }
    setBusy(false);
  };
  return { dialog, busy, error, run };
}
