/** The command line of the benchmark. */
import { parseArgs } from 'node:util';
import { figures, type Figure } from './figures.ts';
import { peers } from './peers/registry.ts';

export interface Options {
  rounds: number;
  figures: Figure[];
  /** Paths that may run. */
  paths: ReadonlySet<string>;
  quick: boolean;
}

const isOurs = (name: string): boolean => name.startsWith('ours');

export const usage = `npm run bench -- [--rounds 7] [--only 1,5,11] [--peers haproxy,ws] [--quick]
  --rounds N     rounds; ratios are taken inside each, then their median (7; 3 with --quick)
  --only LIST    rows of the goals table, as 3 (all of row 3) or 3b
  --peers LIST   only these beside ours: ${[...peers.keys()].filter((name) => !isOurs(name)).join(', ')}
  --quick        about three minutes: 3 rounds, samples of half the size, no row 19
  HCM_BENCH_OURS=library   measure the library under TLS, too, instead of the hcm program`;

/** Throws with a sentence for the reader when the arguments make no sense. */
export function parseOptions(argv: string[]): Options {
  const { values } = parseArgs({
    args: argv,
    options: {
      rounds: { type: 'string' },
      only: { type: 'string' },
      peers: { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 3 : 7));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds ${values.rounds} is not a number of rounds`);
  const wanted = values.only?.split(',').map((id) => id.trim());
  const known = (id: string) => figures.filter((figure) => matches(figure, id));
  for (const id of wanted ?? [])
    if (known(id).length === 0) throw new Error(`--only: there is no figure ${id}`);
  const names = values.peers?.split(',').map((name) => name.trim());
  for (const name of names ?? []) if (!peers.has(name)) throw new Error(`--peers: there is no peer ${name}`);
  return {
    rounds,
    figures: figures.filter((figure) =>
      wanted ? wanted.some((id) => matches(figure, id)) : !(values.quick && figure.slow),
    ),
    paths: new Set(names ? [...[...peers.keys()].filter(isOurs), ...names] : peers.keys()),
    quick: values.quick,
  };
}

function matches(figure: Figure, id: string): boolean {
  return figure.id === id || /^\d+/.exec(figure.id)?.[0] === id;
}
