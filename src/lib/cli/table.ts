/** Tables and key-value views for people: aligned columns, no lines, nothing cut. Programs take --json. */
import type { Output } from './output.ts';

export interface Column<T> {
  /** In capitals over the column. */
  readonly title: string;
  readonly value: (row: T) => string | number | undefined;
  readonly align?: 'right';
}

const GAP = '  ';
/** For what is not there: an empty cell looks like a mistake. */
const NOTHING = '-';

/** Prints a row a line; `none` is said instead when there is none. */
export function printTable<T>(
  output: Output,
  columns: readonly Column<T>[],
  rows: readonly T[],
  none = 'None.',
): void {
  if (rows.length === 0) return output.say(none);
  for (const line of formatTable(columns, rows)) output.answer(line);
}

export function formatTable<T>(columns: readonly Column<T>[], rows: readonly T[]): string[] {
  const lines = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map((column) => cell(column.value(row)))),
  ];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((text, index) => pad(text, widths[index] ?? 0, columns[index]?.align))
      .join(GAP)
      .trimEnd(),
  );
}

export type Field = readonly [name: string, value: string | number | readonly string[] | undefined];

/** Prints `name:  value` lines; a list takes a line for each item, and what is undefined is left out. */
export function printFields(output: Output, fields: readonly Field[]): void {
  for (const line of formatFields(fields)) output.answer(line);
}

export function formatFields(fields: readonly Field[]): string[] {
  const present = fields.filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...present.map(([name]) => name.length)) + 1;
  return present.flatMap(([name, value]) => {
    const [first = NOTHING, ...rest] = Array.isArray(value) ? (value as readonly string[]) : [String(value)];
    return [
      `${`${name}:`.padEnd(width)}${GAP}${first}`,
      ...rest.map((item) => `${' '.repeat(width)}${GAP}${item}`),
    ];
  });
}

function cell(value: string | number | undefined): string {
  return value === undefined || value === '' ? NOTHING : String(value);
}

function pad(text: string, width: number, align: 'right' | undefined): string {
  return align === 'right' ? text.padStart(width) : text.padEnd(width);
}
