/** Reads Prometheus' text format 0.0.4 as strictly as Prometheus does, so that a test sees what it would refuse. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly help: string;
  readonly type: string;
  readonly samples: Sample[];
}

const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);
const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
const OF_HISTOGRAM = /_(?:bucket|sum|count)$/;

/** Families by name. Throws at the first line that is none of the format, or stands in the wrong place. */
export function parseMetrics(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  const helps = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      if (helps.has(name)) throw new Error(`a second HELP: ${line}`);
      helps.set(name, rest);
    } else if (kind === 'TYPE') {
      if (families.has(name) || !TYPES.has(rest)) throw new Error(`a wrong TYPE: ${line}`);
      families.set(name, { help: helps.get(name) ?? '', type: rest, samples: [] });
    } else {
      const sample = parseSample(line);
      const family = families.get(sample.name) ?? families.get(sample.name.replace(OF_HISTOGRAM, ''));
      // Lines of one family stand together, behind its TYPE.
      if (family !== [...families.values()].at(-1)) throw new Error(`out of its group: ${line}`);
      family?.samples.push(sample);
    }
  }
  return families;
}

function parseSample(line: string): Sample {
  const [, name, inner = '', number = ''] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new Error(`no line of the format: ${line}`);
  return { name, labels: parseLabels(inner, line), value: parseNumber(number, line) };
}

function parseLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name, value] = LABEL.exec(text) ?? [];
    if (name === undefined || value === undefined || name in labels) throw new Error(`wrong labels: ${line}`);
    labels[name] = value.replace(/\\(.)/g, (_, one: string) => (one === 'n' ? '\n' : one));
  }
  return labels;
}

function parseNumber(text: string, line: string): number {
  if (/^[+-]Inf$/.test(text)) return text === '-Inf' ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return NaN;
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) throw new Error(`no number: ${line}`);
  return value;
}
