/** What is shown, and what the page says in passing. One page, one of each. */
import { withNotice, type Notice } from '../model/notices.ts';
import { formatRoute, parseRoute, type Route } from '../model/route.ts';
import { Feed } from './feed.ts';
import { Value } from './value.ts';

/** Long enough to be read; errors stay until they are closed. */
const NOTICE_MS = 6_000;

export class Page {
  readonly feed = new Feed();
  readonly route = new Value<Route>(parseRoute(location.hash));
  readonly notices = new Value<readonly Notice[]>([]);
  #lastKey = 0;

  start(): void {
    addEventListener('hashchange', () => this.#follow());
    this.#follow();
    this.feed.start();
  }

  go(route: Route): void {
    location.hash = formatRoute(route);
  }

  say(text: string): void {
    const { key } = this.#notice({ tone: 'good', text });
    setTimeout(() => this.dismiss(key), NOTICE_MS);
  }

  complain(text: string, next?: string): void {
    this.#notice({ tone: 'bad', text, next });
  }

  dismiss(key: number): void {
    this.notices.set(this.notices.get().filter((notice) => notice.key !== key));
  }

  #notice(content: Omit<Notice, 'key'>): Notice {
    const notice = { key: (this.#lastKey += 1), ...content };
    this.notices.set(withNotice(this.notices.get(), notice));
    return notice;
  }

  #follow(): void {
    const route = parseRoute(location.hash);
    this.route.set(route);
    this.feed.show(route);
  }
}
