/** All connections at a glance. */
import { formatCount, formatRate } from '../model/format.ts';
import { useSelected, useValue } from '../state/value.ts';
import { Charts } from './charts.tsx';
import { Symbol } from './icons.tsx';
import { usePage } from './page-context.ts';

export function Overview() {
  const { feed } = usePage();
  const { all, online, trouble } = useValue(feed.counts);
  useValue(feed.beat);
  const live = useSelected(feed.link, ({ name }) => name === 'live');
  if (all === 0) return null;
  const cells = [...(feed.cells.get()?.values() ?? [])];
  const streams = cells.reduce((sum, { view }) => sum + view.get().openStreams, 0);
  const rates = cells.flatMap(({ rate }) => rate.get() ?? []);
  const rateOf = (way: 'in' | 'out') =>
    rates.length === 0 ? '–' : formatRate(rates.reduce((sum, rate) => sum + rate[way], 0));
  return (
    <section class="overview" aria-labelledby="overview-title">
      <h1 id="overview-title" class="unseen">
        Connections of this manager
      </h1>
      <dl class="tiles">
        <div class="tile" data-tone={!live ? 'unknown' : trouble > 0 ? 'warn' : 'good'}>
          <dt>{live ? 'Online' : 'Were online'}</dt>
          <dd>
            {formatCount(online)}
            <small> of {formatCount(all)}</small>
          </dd>
        </div>
        <div class="tile">
          <dt>Open streams</dt>
          <dd>{formatCount(streams)}</dd>
        </div>
        <div class="tile">
          <dt>
            <Symbol name="in" /> In now
          </dt>
          <dd>{rateOf('in')}</dd>
        </div>
        <div class="tile">
          <dt>
            <Symbol name="out" /> Out now
          </dt>
          <dd>{rateOf('out')}</dd>
        </div>
      </dl>
      <Charts />
    </section>
  );
}
