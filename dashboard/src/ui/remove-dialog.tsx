/** Asks before a connection is forgotten. */
import type { ConnectionView } from '../../../src/manager/control/operations.ts';
import { counted } from '../model/format.ts';
import { api } from '../net/api.ts';
import { useAction } from './action.ts';
import { Dialog } from './dialog.tsx';
import { Failure } from './failure.tsx';
import { usePage } from './page-context.ts';

export function RemoveDialog({ view, onClose }: { view: ConnectionView; onClose: () => void }) {
  const page = usePage();
  const { dialog, busy, error, run } = useAction();
  const remove = async (close: () => void) => {
    await api.remove(view.id);
    close();
    page.say(`${view.connection} is removed.`);
    const route = page.route.get();
    if (route.view === 'connection' && route.id === view.id) page.go({ view: 'connections' });
    void page.feed.refresh();
  };
  return (
    <Dialog title={`Remove ${view.connection}?`} place={dialog} onClose={onClose}>
      {(close) => (
        <>
          <p>
            The manager forgets this {view.role} and its key.{' '}
            {view.openStreams > 0 && `${counted(view.openStreams, 'open stream')} may finish first. `}
            Nothing changes in Azure.
          </p>
          {error && <Failure error={error} />}
          <div class="dialog-foot">
            <button type="button" class="button" onClick={close} data-first>
              Keep it
            </button>
            <button
              type="button"
              class="button danger"
              aria-disabled={busy}
              onClick={() => void run(() => remove(close))}
            >
              {busy ? 'Removing …' : 'Remove'}
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}
