/** What the page shows, as the part of its address behind `#`, so that a reload keeps it. */

export type Route =
  | { readonly view: 'connections' }
  | { readonly view: 'connection'; readonly id: string }
  | { readonly view: 'log' };

/** Anything unknown is the list. */
export function parseRoute(hash: string): Route {
  const [view, ...rest] = hash.replace(/^#\/?/, '').split('/');
  if (view === 'log') return { view: 'log' };
  if (view !== 'connection' || rest.length === 0) return { view: 'connections' };
  try {
    return { view: 'connection', id: decodeURIComponent(rest.join('/')) };
  } catch {
    return { view: 'connections' };
  }
}

export function formatRoute(route: Route): string {
  switch (route.view) {
    case 'connections':
      return '#/';
    case 'log':
      return '#/log';
    case 'connection':
      return `#/connection/${encodeURIComponent(route.id)}`;
  }
}
