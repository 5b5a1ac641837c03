/**
 * A picture on a terminal that is drawn anew in its place. It has the terminal's second screen to itself, so that what
 * stood there before comes back at the end.
 */
import { printable } from '../../../protocol/printable.ts';
import { redact } from '../../../protocol/redact.ts';

/** What a terminal is to this: `tty.WriteStream`, or a test's. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  write(text: string): unknown;
  on(event: 'resize', act: () => void): unknown;
  off(event: 'resize', act: () => void): unknown;
}

// ECMA-48, and xterm's private modes: 1049 is the second screen, 25 the cursor, 2026 draws all at once where it is known.
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const BEGIN = '\u001b[?2026h\u001b[H';
const END = '\u001b[?2026l';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

export class LiveScreen {
  readonly #terminal: Terminal;
  readonly #onResize = () => this.#paint();
  #lines: readonly string[] = [];
  #shown: string | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  open(): void {
    this.#terminal.write(ENTER);
    this.#terminal.on('resize', this.#onResize);
  }

  draw(lines: readonly string[]): void {
    this.#lines = lines;
    this.#paint();
  }

  close(): void {
    this.#terminal.off('resize', this.#onResize);
    this.#terminal.write(LEAVE);
  }

  /** What has not changed is not written: nothing flickers. */
  #paint(): void {
    const picture = fitted(this.#lines, this.#terminal)
      .map((line) => `${line}${CLEAR_LINE}`)
      .join('\r\n');
    if (picture === this.#shown) return;
    this.#shown = picture;
    this.#terminal.write(`${BEGIN}${picture}${CLEAR_BELOW}${END}`);
  }
}

/** Cut where the terminal ends, and told so. */
function fitted(lines: readonly string[], { columns, rows }: Terminal): string[] {
  const cut =
    lines.length > rows ? [...lines.slice(0, rows - 1), `… ${lines.length - rows + 1} more`] : lines;
  return cut.map((line) => {
    const chars = [...printable(redact(line))];
    return chars.length <= columns ? chars.join('') : `${chars.slice(0, columns - 1).join('')}…`;
  });
}
