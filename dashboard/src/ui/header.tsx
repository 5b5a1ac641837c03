/** Who this manager is, where to go, and what concerns the whole page. */
import type { Route } from '../model/route.ts';
import { formatRoute } from '../model/route.ts';
import { theme, type Theme } from '../state/theme.ts';
import { useValue } from '../state/value.ts';
import { Symbol, type IconName } from './icons.tsx';
import { usePage } from './page-context.ts';
import { Ago } from './text.tsx';

const THEMES: Readonly<Record<Theme, { next: Theme; icon: IconName; label: string }>> = {
  system: { next: 'light', icon: 'screen', label: 'Colours: as the system' },
  light: { next: 'dark', icon: 'sun', label: 'Colours: light' },
  dark: { next: 'system', icon: 'moon', label: 'Colours: dark' },
};

export function Header({ onAdd }: { onAdd: () => void }) {
  const { feed, route } = usePage();
  const manager = useValue(feed.manager);
  const { view } = useValue(route);
  const chosen = THEMES[useValue(theme)];
  return (
    <header class="header">
      <a class="brand" href={formatRoute({ view: 'connections' })} aria-label="hcm, all connections">
        <Logo />
        <span class="name">hcm</span>
      </a>
      <nav class="nav" aria-label="Views">
        <NavLink to={{ view: 'connections' }} current={view !== 'log'} text="Connections" />
        <NavLink to={{ view: 'log' }} current={view === 'log'} text="Log" />
      </nav>
      {manager && (
        <dl class="facts" aria-label="Manager">
          <Fact name="Version">{manager.version}</Fact>
          <Fact name="Up">
            <Ago time={manager.startedAt} />
          </Fact>
          <Fact name="Process">{manager.pid}</Fact>
          {manager.file !== undefined && (
            <Fact name="File">
              <span class="path" title={manager.file}>
                <bdi>{manager.file}</bdi>
              </span>
            </Fact>
          )}
        </dl>
      )}
      <div class="tools">
        <button
          type="button"
          class="button quiet square"
          onClick={() => theme.set(chosen.next)}
          title={chosen.label}
        >
          <Symbol name={chosen.icon} />
          <span class="unseen">{chosen.label}</span>
        </button>
        <button type="button" class="button primary" onClick={onAdd} aria-haspopup="dialog">
          <Symbol name="plus" />
          <span>
            Add<span class="wide"> connection</span>
          </span>
        </button>
      </div>
    </header>
  );
}

function NavLink({ to, current, text }: { to: Route; current: boolean; text: string }) {
  return (
    <a href={formatRoute(to)} aria-current={current ? 'page' : undefined}>
      {text}
    </a>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="currentColor" />
      <path d="M8 16h16" stroke="#fff" stroke-width="2.5" stroke-linecap="round" stroke-dasharray="0.1 4.1" />
      <circle cx="8" cy="16" r="4" fill="#fff" />
      <circle cx="24" cy="16" r="4" fill="currentColor" stroke="#fff" stroke-width="2.5" />
    </svg>
  );
}
