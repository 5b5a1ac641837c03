/** The whole page: header, what is wrong, the view that the address names, and what is said in passing. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Page } from '../state/page.ts';
import { useSelected, useValue } from '../state/value.ts';
import { AddDialog } from './add-dialog.tsx';
import { Announcer } from './announcer.tsx';
import { ConnectionDetailsView } from './connection-details.tsx';
import { ConnectionList } from './connection-list.tsx';
import { Header } from './header.tsx';
import { LinkBanner, Notices, Problems } from './banners.tsx';
import { LogView } from './log-view.tsx';
import { Overview } from './overview.tsx';
import { PageContext } from './page-context.ts';

export function App({ page }: { page: Page }) {
  const route = useValue(page.route);
  const link = useSelected(page.feed.link, ({ name }) => name);
  const loaded = useSelected(page.feed.cells, (cells) => cells !== undefined);
  const [adding, setAdding] = useState(false);
  const main = useRef<HTMLElement>(null);
  const before = useRef(route);
  const listTop = useListTop(page);
  useTitle(page);
  useLayoutEffect(() => {
    if (route === before.current) return;
    before.current = route;
    // Whoever types goes along where the list gives way to what was chosen from it, and where what had the focus went.
    const givesWay = route.view === 'connection' && matchMedia('(max-width: 60rem)').matches;
    if (givesWay || document.activeElement === document.body) main.current?.focus({ preventScroll: true });
    scrollTo(0, route.view === 'connections' ? listTop.current : 0);
  }, [route]);
  return (
    <PageContext.Provider value={page}>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the content
      </a>
      <Header onAdd={() => setAdding(true)} />
      <LinkBanner />
      <Problems />
      <main ref={main} id="main" class="main" data-view={route.view} data-link={link} tabIndex={-1}>
        {!loaded && <p class="loading">{link === 'connecting' ? 'Asking the manager …' : ''}</p>}
        {loaded && route.view === 'connections' && <Overview />}
        {loaded && route.view !== 'log' && <ConnectionList onAdd={() => setAdding(true)} />}
        {loaded && route.view === 'connection' && <ConnectionDetailsView key={route.id} id={route.id} />}
        {loaded && route.view === 'log' && <LogView />}
      </main>
      {adding && <AddDialog onClose={() => setAdding(false)} />}
      <Notices />
      <Announcer />
    </PageContext.Provider>
  );
}

/** How far down somebody was in the list, to come back there. */
function useListTop({ route }: Page): { readonly current: number } {
  const top = useRef(0);
  useEffect(() => {
    const note = () => {
      if (route.get().view === 'connections') top.current = scrollY;
    };
    addEventListener('scroll', note, { passive: true });
    return () => removeEventListener('scroll', note);
  }, [route]);
  return top;
}

function useTitle({ feed }: Page): void {
  const { trouble } = useValue(feed.counts);
  const link = useSelected(feed.link, ({ name }) => name);
  useEffect(() => {
    const about =
      link === 'gone' || link === 'over' ? 'not connected' : trouble > 0 ? `${trouble} in trouble` : '';
    document.title = about === '' ? 'hcm' : `(${about}) hcm`;
  }, [trouble, link]);
}
