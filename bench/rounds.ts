/**
 * The rounds: in each, every path is started, warmed up, measured and stopped, one at a time and in random order, so
 * that a ratio pairs what was measured within a minute. What fails is noted and left out; the run goes on.
 */
import type { Figure, Source } from './figures.ts';
import type { Load } from './load/load.ts';
import { withNoise } from './noise.ts';
import { peers } from './peers/registry.ts';
import type { Options } from './options.ts';
import { isStartUp, measureStartUp } from './start-up.ts';
import { measure, wantsFreshPath, warmUp, type Effort, type Sample, type Workload } from './workloads.ts';

/** The samples of one round by source. */
export type Round = Map<string, Sample>;

export interface Measured {
  rounds: Round[];
  /** Every source that was asked for, by key. */
  sources: Map<string, Source>;
  /** Path or source -> why there is nothing (or a round less). */
  missing: Map<string, string>;
}

interface Turn {
  path: string;
  legs: Source['legs'];
  workloads: Workload[];
}

export function keyOf({ path, legs, workload }: Source): string {
  return JSON.stringify([path, legs, workload]);
}

export class Runner {
  private readonly measured: Measured = { rounds: [], sources: new Map(), missing: new Map() };
  private readonly failures = new Map<string, number>();
  private readonly effort: Effort;

  constructor(
    private readonly options: Options,
    private readonly load: Load,
    private readonly targetPort: number,
    private readonly say: (text: string) => void,
  ) {
    this.effort = { scale: options.quick ? 0.5 : 1 };
  }

  async run(): Promise<Measured> {
    await this.findMissing();
    for (let round = 1; round <= this.options.rounds; round++) {
      const turns = shuffled(this.turnsOf(round));
      const samples: Round = new Map();
      this.measured.rounds.push(samples);
      for (const [index, turn] of turns.entries()) {
        this.say(
          `round ${round}/${this.options.rounds}  ${index + 1}/${turns.length}  ${turn.path} ${turn.legs}`,
        );
        await this.take(turn, samples);
      }
    }
    return this.measured;
  }

  private async findMissing(): Promise<void> {
    const names = new Set(
      this.options.figures
        .filter((one) => !one.later)
        .flatMap(sourcesOf)
        .map((one) => one.path),
    );
    for (const name of names) {
      if (name === 'node') continue;
      const reason = this.options.paths.has(name)
        ? await peers.get(name)?.available()
        : 'left out by --peers';
      if (reason) this.measured.missing.set(name, reason);
    }
  }

  /** What this round must measure, one turn a path; workloads that want a fresh path take a turn each. */
  private turnsOf(round: number): Turn[] {
    const figures = this.options.figures.filter((one) => !one.later && round <= (one.rounds ?? Infinity));
    const wanted = new Map(figures.flatMap(sourcesOf).map((source) => [keyOf(source), source]));
    const turns = new Map<string, Turn>();
    for (const [key, { path, legs, workload }] of wanted) {
      this.measured.sources.set(key, { path, legs, workload });
      if (this.measured.missing.has(path) || (this.failures.get(key) ?? 0) > 1) continue;
      const turnKey = wantsFreshPath(workload) || isStartUp(workload) ? key : `${path} ${legs}`;
      const turn = turns.get(turnKey) ?? { path, legs, workloads: [] };
      turn.workloads.push(workload);
      turns.set(turnKey, turn);
    }
    return [...turns.values()];
  }

  private async take({ path: name, legs, workloads }: Turn, samples: Round): Promise<void> {
    const attempt = async (workload: Workload, work: () => Promise<Sample>) => {
      const source = { path: name, legs, workload };
      try {
        const { result, ...disturbance } = await withNoise(work);
        samples.set(keyOf(source), { ...result, ...disturbance });
      } catch (error) {
        this.note(source, error);
      }
    };
    const [only] = workloads;
    if (only && isStartUp(only)) return attempt(only, () => measureStartUp(only, this.effort));
    try {
      const path = await peers.get(name)!.start({ tls: legs === 'tls', targetPort: this.targetPort });
      try {
        if (!workloads.every(wantsFreshPath)) await warmUp(this.load, path, workloads, this.effort);
        for (const one of workloads) await attempt(one, () => measure(this.load, path, one, this.effort));
      } finally {
        await path.stop();
      }
    } catch (error) {
      for (const workload of workloads) this.note({ path: name, legs, workload }, error);
    }
  }

  /** A failed measurement: said, kept for the report, and not tried a third time. */
  private note(source: Source, error: unknown): void {
    const key = keyOf(source);
    const name = `${source.path} ${source.legs} ${source.workload.kind}`;
    this.failures.set(key, (this.failures.get(key) ?? 0) + 1);
    this.measured.missing.set(name, firstLine(error));
    this.say(`  ${name}: ${firstLine(error)}`);
  }
}

function sourcesOf({ of, against }: Figure): Source[] {
  return against ? [of, against] : [of];
}

function shuffled<T>(items: T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error))
    .split('\n')
    .slice(0, 3)
    .join(' ')
    .slice(0, 400);
}
