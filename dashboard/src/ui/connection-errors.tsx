/** The last errors of a connection, the newest first; the same one again and again is one entry. */
import type { ErrorView } from '../../../src/manager/control/operations.ts';
import { Remedy } from './remedy.tsx';
import { Ago, Clock } from './text.tsx';

/** `errors` undefined: not known yet. */
export function ConnectionErrors({ errors }: { errors: readonly ErrorView[] | undefined }) {
  return (
    <section class="panel" aria-labelledby="errors-title">
      <h2 id="errors-title">Last errors</h2>
      {errors === undefined || errors.length === 0 ? (
        <p class="muted rest">{errors ? 'None since the manager was started.' : 'Asking the manager …'}</p>
      ) : (
        <ol class="errors">
          {grouped(errors).map(({ error, count, first }) => (
            <li key={`${first}${error.code}${error.message}`}>
              <p class="when">
                <Clock time={error.at} />
                <span class="muted">
                  {' '}
                  <Ago time={error.at} /> ago
                  {count > 1 && `, ${count} times`}
                </span>
              </p>
              <div>
                <Remedy trouble={error} />
              </div>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function grouped(errors: readonly ErrorView[]): { error: ErrorView; count: number; first: string }[] {
  const groups: { error: ErrorView; count: number; first: string }[] = [];
  for (const error of errors) {
    const last = groups.at(-1);
    if (last && last.error.code === error.code && last.error.message === error.message) {
      last.count += 1;
      last.first = error.at;
    } else groups.push({ error, count: 1, first: error.at });
  }
  return groups;
}
