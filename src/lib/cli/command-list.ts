/**
 * Which commands there are: from the manifest that the build wrote, or from the sources. Reading the list loads no
 * command and no oclif; running one loads both.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '@oclif/core/config';
import type { BaseCommand, CommandClass } from './base-command.ts';

export interface CommandSummary {
  /** `emulator:start`. */
  readonly id: string;
  readonly summary: string;
  readonly hidden: boolean;
  /** Runs until it is stopped. */
  readonly longRunning: boolean;
}

export class CommandList {
  readonly summaries: readonly CommandSummary[];
  readonly #ids: ReadonlySet<string>;
  readonly #topics: ReadonlySet<string>;
  readonly #loadConfig: () => Promise<Config>;

  constructor(summaries: readonly CommandSummary[], loadConfig: () => Promise<Config>) {
    this.summaries = summaries;
    this.#ids = new Set(summaries.map(({ id }) => id));
    this.#topics = new Set(
      summaries.flatMap(({ id }) => (id.includes(':') ? [id.replace(/:[^:]*$/, '')] : [])),
    );
    this.#loadConfig = loadConfig;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  isLongRunning(id: string): boolean {
    return this.summaries.some((command) => command.id === id && command.longRunning);
  }

  hasTopic(id: string): boolean {
    return this.#topics.has(id);
  }

  /** Loads a command, ready to be started. */
  async load(id: string, argv: readonly string[]): Promise<BaseCommand> {
    const config = await this.#loadConfig();
    const loaded = await config.findCommand(id, { must: true }).load();
    return new (loaded as unknown as CommandClass)([...argv], config);
  }

  /** Prints the help of a command or a topic. */
  async showHelp(id: string): Promise<number> {
    const [config, { printHelp }] = await Promise.all([this.#loadConfig(), import('./oclif.ts')]);
    await printHelp(config, id);
    return 0;
  }
}

export async function loadCommandList(root: string, fromSource: boolean): Promise<CommandList> {
  if (!fromSource) {
    return new CommandList(summariesOf(loadManifest(root)), async () =>
      (await import('./oclif.ts')).loadBuiltConfig(root),
    );
  }
  const { loadSourceConfig } = await import('./oclif.ts');
  const config = await loadSourceConfig(root);
  return new CommandList(summariesOf(config.commands), () => Promise.resolve(config));
}

type Summarized = {
  id: string;
  summary?: string | undefined;
  hidden?: boolean | undefined;
  longRunning?: boolean | undefined;
};

function loadManifest(root: string): Summarized[] {
  const text = readFileSync(join(root, 'oclif.manifest.json'), 'utf8');
  return Object.values((JSON.parse(text) as { commands: Record<string, Summarized> }).commands);
}

function summariesOf(commands: readonly Summarized[]): CommandSummary[] {
  return commands
    .map(({ id, summary = '', hidden = false, longRunning = false }) => ({
      id,
      summary,
      hidden,
      longRunning,
    }))
    .sort((a, b) => a.id.localeCompare(b.id));
}
