/** How long something has been so, in one unit: what one looks for in a table. */
const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
] as const;

export class TimeAgo {
  readonly #nowMs: number;

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  /** `3h` for an ISO time three hours ago. */
  text(iso: string): string {
    const seconds = Math.max(Math.round((this.#nowMs - Date.parse(iso)) / 1_000), 0);
    const [unit, size] = UNITS.find(([, unitSeconds]) => seconds >= unitSeconds) ?? ['s', 1];
    return `${Math.floor(seconds / size)}${unit}`;
  }
}
