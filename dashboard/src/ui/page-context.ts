/** The one page, for whatever is drawn in it. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Page } from '../state/page.ts';

export const PageContext = createContext<Page | undefined>(undefined);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (!page) throw new Error('There is no page around this.');
  return page;
}
