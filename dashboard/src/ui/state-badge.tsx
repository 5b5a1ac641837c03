/** The state of a connection; when nobody answers, the last one that was known, and it says so. */
import { STATES, type State } from '../model/states.ts';
import { useSelected } from '../state/value.ts';
import { StateIcon } from './icons.tsx';
import { usePage } from './page-context.ts';

export function StateBadge({ state }: { state: State }) {
  const { feed } = usePage();
  const known = useSelected(feed.link, ({ name }) => name === 'live');
  const { label, hint } = STATES[state];
  return (
    <span class="badge" data-state={known ? state : 'unknown'} title={known ? hint : 'As it was last seen'}>
      <StateIcon state={state} />
      {known ? label : `Was ${label.toLowerCase()}`}
    </span>
  );
}
