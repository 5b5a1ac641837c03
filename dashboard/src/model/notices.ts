/** What the page says in passing: what was done, and what could not be. */

export interface Notice {
  readonly key: number;
  readonly tone: 'good' | 'bad';
  readonly text: string;
  readonly next?: string | undefined;
}

/** More at a time hide the page. */
const SHOWN = 4;

/** With one more. Where that is too many, good news go first: an error stays until it is closed. */
export function withNotice(notices: readonly Notice[], notice: Notice): readonly Notice[] {
  const gone =
    notices.length < SHOWN ? undefined : (notices.find(({ tone }) => tone === 'good') ?? notices[0]);
  return [...notices.filter((one) => one !== gone), notice];
}
