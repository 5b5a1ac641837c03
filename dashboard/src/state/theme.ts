/** Dark or light: what the system says, until somebody chooses; the choice is remembered in this browser. */
import { Value } from './value.ts';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'hcm-theme';

export const theme = new Value<Theme>(read());

export function startTheme(): void {
  const apply = () => {
    const chosen = theme.get();
    if (chosen === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = chosen;
  };
  apply();
  theme.watch(apply);
  theme.watch(() => {
    try {
      localStorage.setItem(KEY, theme.get());
    } catch {
      // A browser that stores nothing shows it all the same.
    }
  });
}

/** Calls back whenever colours have changed, for whatever draws them itself. */
export function onColours(changed: () => void): () => void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', changed);
  // The attribute is set by the watcher that came first.
  const unwatch = theme.watch(changed);
  return () => {
    system.removeEventListener('change', changed);
    unwatch();
  };
}

function read(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === 'light' || stored === 'dark' ? stored : 'system';
  } catch {
    return 'system';
  }
}
