/** The last three minutes of a connection's throughput as a small drawing; the numbers stand beside it. */
import { timelineOf } from '../model/history.ts';
import { useSelected } from '../state/value.ts';
import { usePage } from './page-context.ts';

const WIDTH = 96;
const HEIGHT = 24;
const SPAN_SECONDS = 180;
/** Five seconds each, as far apart as the manager's own samples. */
const STEPS = 36;

export function SparkLine({ id }: { id: string }) {
  const { feed } = usePage();
  const path = useSelected(feed.beat, () => {
    const sinceMs = feed.now() - SPAN_SECONDS * 1000;
    const { times, bytesIn, bytesOut } = timelineOf(feed.coarse, feed.fine, [id], sinceMs);
    const rates = bytesIn.map((rate, at) => (rate ?? 0) + (bytesOut[at] ?? 0));
    return pathOf(bucketsOf(times, rates, sinceMs / 1000));
  });
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      {path === '' ? (
        <path class="spark-rest" d={`M0 ${HEIGHT - 1}H${WIDTH}`} />
      ) : (
        <>
          <path class="spark-fill" d={`${path}V${HEIGHT}H0z`} />
          <path class="spark-line" d={path} />
        </>
      )}
    </svg>
  );
}

/** Means over equal stretches; one without a point is like the one before. */
function bucketsOf(times: readonly number[], rates: readonly number[], since: number): number[] {
  const sums = Array.from({ length: STEPS }, () => ({ sum: 0, count: 0 }));
  for (const [at, time] of times.entries()) {
    const bucket = sums[Math.min(Math.floor(((time - since) / SPAN_SECONDS) * STEPS), STEPS - 1)];
    if (!bucket) continue;
    bucket.sum += rates[at] ?? 0;
    bucket.count += 1;
  }
  let last = 0;
  return sums.map(({ sum, count }) => (last = count === 0 ? last : sum / count));
}

/** Nothing when nothing flowed: a row that rests is not drawn each second. */
function pathOf(rates: readonly number[]): string {
  const most = Math.max(...rates);
  if (most === 0) return '';
  return rates
    .map((rate, at) => {
      const x = (WIDTH * at) / (STEPS - 1);
      const y = HEIGHT - 1 - (rate / most) * (HEIGHT - 3);
      return `${at === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}
