/** What concerns everything on the page: no manager, no session, problems of the manager; and short notices. */
import { formatTime } from '../model/format.ts';
import { useValue } from '../state/value.ts';
import { Symbol } from './icons.tsx';
import { usePage } from './page-context.ts';
import { Remedy } from './remedy.tsx';
import { Prose } from './text.tsx';

export function LinkBanner() {
  const { feed } = usePage();
  const link = useValue(feed.link);
  return (
    <div role="alert">
      {link.name === 'gone' && (
        <div class="banner bad">
          <Symbol name="plug" />
          <div>
            <p class="message">
              The manager does not answer, since{' '}
              {formatTime(new Date(link.sinceMs).toISOString(), link.sinceMs)}.
            </p>
            <p class="next">
              What you see is from before. This page comes back by itself. If the manager was started again,
              run <code>hcm dashboard</code> for a new page.
            </p>
          </div>
        </div>
      )}
      {link.name === 'over' && (
        <div class="banner bad">
          <Symbol name="plug" />
          <div>
            <p class="message">The session of this page is over.</p>
            <p class="next">
              Run <code>hcm dashboard</code> in a terminal and open the address that it prints.
            </p>
          </div>
        </div>
      )}
    </div>
  );
}

export function Problems() {
  const { feed } = usePage();
  const problems = useValue(feed.manager)?.problems ?? [];
  return (
    <div role="alert">
      {problems.map((problem) => (
        <div class="banner warn" key={problem.message}>
          <Symbol name="warning" />
          <div>
            <Remedy trouble={problem} />
          </div>
        </div>
      ))}
    </div>
  );
}

export function Notices() {
  const page = usePage();
  const notices = useValue(page.notices);
  return (
    <div class="notices" role="status" aria-label="Notices">
      {notices.map(({ key, tone, text, next }) => (
        <div key={key} class="notice" data-tone={tone}>
          <Symbol name={tone === 'good' ? 'accept' : 'warning'} />
          <div>
            <p>{text}</p>
            {next && (
              <p class="next">
                <strong>Next</strong> <Prose text={next} />
              </p>
            )}
          </div>
          <button
            type="button"
            class="button quiet square"
            onClick={({ currentTarget }) => {
              focusBeside(currentTarget);
              page.dismiss(key);
            }}
          >
            <Symbol name="close" />
            <span class="unseen">Close this notice</span>
          </button>
        </div>
      ))}
    </div>
  );
}

/** What has the focus is about to go: it moves to the next notice, or else to the content. */
function focusBeside(button: HTMLElement): void {
  const notice = button.closest('.notice');
  const next = notice?.nextElementSibling ?? notice?.previousElementSibling;
  const to = next?.querySelector('button') ?? document.getElementById('main');
  to?.focus({ preventScroll: true });
}
