/**
 * What happens now: on a terminal one line that is written over, with the seconds it takes; elsewhere a line for each
 * new message. Whatever else is written to the terminal wipes it first (Output sees to that).
 */

/** Below this, nobody counts. */
const SHOWN_FROM_SECONDS = 2;
const TICK_MS = 1_000;
const WIPE = '\r\u001b[2K';

export type ProgressStream = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

export class ProgressLine {
  readonly #stream: ProgressStream;
  #text: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  show(text: string): void {
    if (text === this.#text) return;
    this.wipe();
    this.#text = text;
    if (!this.#stream.isTTY) return void this.#stream.write(`${text} ...\n`);
    const sinceMs = performance.now();
    const draw = () => this.#draw(text, Math.round((performance.now() - sinceMs) / 1_000));
    draw();
    this.#timer = setInterval(draw, TICK_MS).unref();
  }

  /** Makes room for other output; the message may be shown again later. */
  wipe(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#text = undefined;
    this.#stream.write(WIPE);
  }

  #draw(text: string, seconds: number): void {
    const time = seconds < SHOWN_FROM_SECONDS ? '' : ` (${seconds} s)`;
    const room = Math.max((this.#stream.columns || 80) - time.length - ' ...'.length - 1, 10);
    this.#stream.write(`${WIPE}${text.slice(0, room)} ...${time}`);
  }
}
