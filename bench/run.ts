/**
 * npm run bench: our tunnel and its peers side by side, as docs/performance.md ("Method") wants it. Prints the ratios,
 * then the absolute numbers, and keeps both in bench/results. A missed goal or a missing peer is no failure: the exit
 * status is 0 unless the benchmark itself broke.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createLoad } from './load/load.ts';
import { whyLibrary } from './ours.ts';
import { parseOptions, usage, type Options } from './options.ts';
import { checkoutDir, resultsDir } from './places.ts';
import { absoluteTable, evaluate, nameOf, disturbanceOf, ratioTable } from './report.ts';
import { Runner, type Measured } from './rounds.ts';
import { portOf } from './peers/chain.ts';
import { surroundings } from './surroundings.ts';

async function main(options: Options): Promise<void> {
  const started = Date.now();
  const before = surroundings();
  const load = await createLoad();
  if (!load.native)
    say('the load generator is Node (no C compiler, or HCM_BENCH_LOAD=node): it may limit fast paths');
  if ((before.loadAverage[0] ?? 0) > 0.5)
    say(`the machine is not idle: load average ${before.loadAverage[0]}`);

  const library = whyLibrary();
  if (library) say(`ours under TLS is the library, not the hcm program: ${library}`);

  const sink = await load.serve();
  let measured: Measured;
  try {
    measured = await new Runner(options, load, portOf(sink), say).run();
  } finally {
    await sink.stop();
  }

  const results = evaluate(options.figures, measured);
  const minutes = ((Date.now() - started) / 60_000).toFixed(1);
  const { cpu, cores, versions, loadAverage } = before;
  print(
    `\n${options.rounds} rounds in ${minutes} minutes; ${cores} x ${cpu}; Node ${versions['node']}; load ${loadAverage.join(' ')}\n`,
  );
  print(ratioTable(results));
  print(`\n${absoluteTable(measured)}`);
  for (const [what, why] of measured.missing) print(`\nleft out: ${what}: ${why}`);

  const { noise, retransmits } = disturbanceOf(measured);
  if (noise && retransmits) {
    const share = `others had ${percent(noise.median)} of the machine (${percent(noise.max)} at worst)`;
    print(
      `\ndisturbance: ${share}; TCP sent ${retransmits.median} segments a sample again (${retransmits.max})`,
    );
  }

  const file = join(resultsDir, `${before.time.replaceAll(/[:.]/g, '-')}.json`);
  mkdirSync(resultsDir, { recursive: true });
  const samples = [...measured.sources].map(([key, source]) => ({
    ...source,
    name: nameOf(source.workload),
    rounds: measured.rounds.map((round) => round.get(key) ?? null),
  }));
  const document = {
    surroundings: before,
    loadAverageAfter: surroundings().loadAverage,
    disturbance: { noise, retransmits },
    nativeLoad: load.native,
    oursUnderTls: library ? `library: ${library}` : 'program',
    quick: options.quick,
    figures: results,
    samples,
    missing: Object.fromEntries(measured.missing),
  };
  writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
  print(`\n${relative(checkoutDir, file)}`);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

let options: Options;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  say(`${(error as Error).message}\n\n${usage}`);
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
await main(options);
