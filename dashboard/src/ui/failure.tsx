/** Why something that was asked for did not happen. */
import type { ApiError } from '../net/api.ts';
import { Symbol } from './icons.tsx';
import { Remedy } from './remedy.tsx';

export function Failure({ error }: { error: ApiError }) {
  const next = error.code === 'over' ? 'Run `hcm dashboard` for a new page' : error.next;
  return (
    <div role="alert">
      <div class="banner bad">
        <Symbol name="warning" />
        <div>
          {error.code === 'gone' || error.code === 'over' ? (
            <Remedy trouble={{ code: '', message: error.message, next }} />
          ) : (
            <Remedy trouble={{ code: error.code, message: error.message, next }} />
          )}
        </div>
      </div>
    </div>
  );
}
