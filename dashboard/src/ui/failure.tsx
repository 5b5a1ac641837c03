/** Why something that was asked for did not happen. */
import type { ApiError } from '../net/api.ts';
import { Symbol } from './icons.tsx';
import { Remedy } from './remedy.tsx';

export function Failure({ error }: { error: ApiError }) {
  const { code, message, next } = error;
  const isOfPage = code === 'gone' || code === 'over';
  return (
    <div role="alert">
      <div class="banner bad">
        <Symbol name="warning" />
        <div>
          <Remedy trouble={{ code: isOfPage ? '' : code, message, next }} />
        </div>
      </div>
    </div>
  );
}
