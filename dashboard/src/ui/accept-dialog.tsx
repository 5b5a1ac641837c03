/** Confirms the target that Azure names. Until then nothing is forwarded there. */
import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
import type { ConnectionView } from '../../../src/manager/control/operations.ts';
import { api } from '../net/api.ts';
import { useAction } from './action.ts';
import { Dialog } from './dialog.tsx';
import { Failure } from './failure.tsx';
import { usePage } from './page-context.ts';

interface AcceptProps {
  view: ConnectionView;
  /** What has the focus next: the button that asks for this goes. */
  beside: RefObject<HTMLElement | null>;
  onClose: () => void;
}

export function AcceptDialog({ view, beside, onClose }: AcceptProps) {
  const page = usePage();
  /** As it was when it was asked: what Azure names meanwhile must not slip under the button. */
  const [{ id, connection, reason, unconfirmedTarget: target = '' }] = useState(view);
  const { dialog, busy, error, run } = useAction();
  const accept = async (close: () => void) => {
    await api.restart(id, target);
    const isOpen = dialog.current?.open;
    close();
    if (isOpen) beside.current?.focus();
    page.say(`${connection} leads to ${target} from now on.`);
    void page.feed.refresh();
  };
  return (
    <Dialog title={`Accept the target of ${connection}?`} place={dialog} onClose={onClose}>
      {(close) => (
        <>
          <p>{reason?.message}.</p>
          <p>
            From then on this machine forwards to <code>{target}</code>. Accept it only when you know who
            changed it: whoever may write the connection’s metadata in Azure chooses this address.
          </p>
          {error && <Failure error={error} />}
          <div class="dialog-foot">
            <button type="button" class="button" onClick={close} data-first>
              Not now
            </button>
            <button
              type="button"
              class="button primary"
              aria-disabled={busy}
              onClick={() => void run(() => accept(close))}
            >
              {busy ? 'Accepting …' : `Accept ${target}`}
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}
