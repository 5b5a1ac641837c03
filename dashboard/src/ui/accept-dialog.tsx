/** Confirms the target that Azure names now. Until then nothing is forwarded there. */
import type { ConnectionView } from '../../../src/manager/control/operations.ts';
import { api } from '../net/api.ts';
import { useAction } from './action.ts';
import { Dialog } from './dialog.tsx';
import { Failure } from './failure.tsx';
import { usePage } from './page-context.ts';

export function AcceptDialog({ view, onClose }: { view: ConnectionView; onClose: () => void }) {
  const page = usePage();
  const { dialog, busy, error, run } = useAction();
  const accept = async (close: () => void) => {
    await api.restart(view.id, view.target);
    close();
    page.say(`${view.connection} leads to ${view.target ?? 'the target that Azure names'} from now on.`);
    void page.feed.refresh();
  };
  return (
    <Dialog title={`Accept the target of ${view.connection}?`} place={dialog} onClose={onClose}>
      {(close) => (
        <>
          <p>{view.reason?.message}.</p>
          <p>
            From then on this machine forwards to <code>{view.target}</code>. Accept it only when you know who
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
              {busy ? 'Accepting …' : `Accept ${view.target ?? ''}`}
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}
