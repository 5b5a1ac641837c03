/** What the benchmark says at the end: the ratios first, then the absolute numbers, then what was left out and why. */
import type { Figure, Source } from './figures.ts';
import { keyOf, type Measured } from './rounds.ts';
import type { Sample, Workload } from './workloads.ts';

export interface Spread {
  median: number;
  min: number;
  max: number;
  rounds: number;
}

export interface FigureResult extends Pick<Figure, 'id' | 'what' | 'metric' | 'better' | 'first' | 'goal'> {
  of: string;
  against: string | undefined;
  /** Undefined when one side is missing; `why` then says which. */
  result: Spread | undefined;
  firstMet: boolean | undefined;
  goalMet: boolean | undefined;
  why: string | undefined;
}

/** Ratio (or number) per round, then the median of the rounds. */
export function evaluate(figures: Figure[], measured: Measured): FigureResult[] {
  return figures.map((figure) => {
    const values = measured.rounds.flatMap((round) => {
      const ours = round.get(keyOf(figure.of))?.[figure.metric];
      if (!figure.against) return ours === undefined ? [] : [ours];
      const theirs = round.get(keyOf(figure.against))?.[figure.metric];
      return ours === undefined || theirs === undefined || theirs === 0 ? [] : [ours / theirs];
    });
    const result = spreadOf(values);
    const { id, what, metric, better, first, goal } = figure;
    const meets = (at: number | undefined) =>
      result && at !== undefined
        ? better === 'higher'
          ? result.median >= at
          : result.median <= at
        : undefined;
    return {
      id,
      what,
      metric,
      better,
      ...(first !== undefined && { first }),
      ...(goal !== undefined && { goal }),
      of: figure.of.path,
      against: figure.against?.path,
      result,
      firstMet: meets(first),
      goalMet: meets(goal),
      why: result ? undefined : (figure.later ?? whyMissing(figure, measured)),
    };
  });
}

function whyMissing({ of, against }: Figure, { missing }: Measured): string {
  const reasons = [of, ...(against ? [against] : [])].flatMap(({ path, legs, workload }) => {
    const reason = missing.get(path) ?? missing.get(`${path} ${legs} ${workload.kind}`);
    return reason ? [`${path}: ${reason}`] : [];
  });
  return [...new Set(reasons)].join('; ') || 'not measured';
}

export function ratioTable(results: FigureResult[]): string {
  const rows = results.map((one) => {
    const sign = one.better === 'higher' ? '>=' : '<=';
    const goals = [one.first, one.goal].map((at) => (at === undefined ? '-' : `${sign} ${at}`));
    const met = [one.firstMet, one.goalMet].map((yes) => (yes === undefined ? '-' : yes ? 'yes' : 'NO'));
    const number = one.result ? show(one.result) : `- ${one.why}`;
    const against = one.against && one.against !== one.of ? one.against : '';
    return [one.id, one.what, one.of, against, number, goals[0]!, met[0]!, goals[1]!, met[1]!];
  });
  return table(['#', 'figure', 'of', 'against', 'median [min..max]', 'first', 'met', 'goal', 'met'], rows);
}

/** Every source with the metrics that matter for its workload. */
export function absoluteTable({ sources, rounds }: Measured): string {
  const rows = [...sources.values()].flatMap((source) => {
    const samples = rounds.flatMap((round): Sample[] => {
      const sample = round.get(keyOf(source));
      return sample ? [sample] : [];
    });
    if (samples.length === 0) return [];
    const numbers = metricsOf(source.workload).map((metric) => {
      const spread = spreadOf(samples.flatMap((sample) => sample[metric] ?? []));
      return spread ? `${metric} ${show(spread)}` : '';
    });
    return [[nameOf(source.workload), source.legs, source.path, numbers.filter(Boolean).join('  ')]];
  });
  rows.sort((a, b) => `${a[0]} ${a[1]} ${a[2]}`.localeCompare(`${b[0]} ${b[1]} ${b[2]}`));
  return table(['workload', 'legs', 'path', 'absolute: median [min..max]; CPU in s/GB, time in µs'], rows);
}

/** What disturbed the samples: the share of the machine that others had, segments that TCP sent again. */
export function disturbanceOf({ rounds }: Measured): Record<'noise' | 'retransmits', Spread | undefined> {
  const samples = rounds.flatMap((round) => [...round.values()]);
  const spread = (name: string) => spreadOf(samples.flatMap((sample) => sample[name] ?? []));
  return { noise: spread('noise'), retransmits: spread('retransmits') };
}

/** A short name of a workload. */
export function nameOf(workload: Workload): string {
  switch (workload.kind) {
    case 'bulk':
      return `${workload.direction} x${workload.streams}`;
    case 'ping':
      if (workload.besideBulk) return 'ping beside bulk';
      return workload.besideIdle ? `ping beside ${workload.besideIdle} idle` : 'ping';
    case 'paced':
      return 'new stream each 20 ms';
    case 'storm':
      return 'new streams, 50 at once';
    case 'idle':
    case 'stall':
      return `${workload.kind} x${workload.streams}`;
    case 'command':
      return `${workload.program} ${workload.args.join(' ')}`;
    case 'azure-command':
      return `hcm ${workload.args.join(' ')}`;
    case 'http-get':
      return workload.atOnce === 1 ? 'GET, one at a time' : `GET, ${workload.atOnce} at once`;
    case 'http-bulk':
      return `${workload.direction === 'down' ? 'GET' : 'POST'} of ${workload.megabytes} MB`;
    case 'emulator-start':
      return 'emulator start';
  }
}

function metricsOf({ kind }: Source['workload']): string[] {
  if (kind === 'bulk') return ['mbPerSecond', 'totalCpu', 'clientCpu', 'listenerCpu'];
  if (kind === 'idle') return ['senderMiB', 'relayMiB', 'listenerMiB'];
  if (kind === 'stall') return ['senderMiB', 'relayMiB', 'listenerMiB', 'writtenMiB'];
  if (kind === 'storm') return ['perSecond'];
  if (kind === 'http-get') return ['perSecond', 'p50', 'p99'];
  if (kind === 'http-bulk') return ['mbPerSecond'];
  return kind === 'ping' || kind === 'paced' ? ['p50', 'p99'] : ['ms'];
}

export function spreadOf(values: number[]): Spread | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [min, max, upper] = [sorted[0], sorted.at(-1), sorted[middle]];
  if (min === undefined || max === undefined || upper === undefined) return undefined;
  const median = sorted.length % 2 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
  return { median, min, max, rounds: sorted.length };
}

function show({ median, min, max }: Spread): string {
  const digits = (value: number) => value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 20 ? 1 : 2);
  return `${digits(median)} [${digits(min)}..${digits(max)}]`;
}

function table(head: string[], rows: string[][]): string {
  const widths = head.map((title, at) =>
    Math.min(60, Math.max(title.length, ...rows.map((row) => row[at]!.length))),
  );
  const line = (cells: string[]) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
