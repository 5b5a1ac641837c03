/** A command that shows something of the manager once, or with --watch for as long as one likes. */
import { boolean } from '@oclif/core/flags';
import { BaseCommand } from '../base-command.ts';
import { managerClient } from './manager-flags.ts';
import { terminalOf, watch, type Watched } from './run-watch.ts';

export const watchFlags = {
  watch: boolean({ char: 'w', description: 'Show it again at each change, until Ctrl-C.' }),
};

export abstract class WatchingCommand extends BaseCommand {
  /** Only then it prints events. */
  protected override get settings() {
    const isWatching = this.argv.includes('--watch') || this.argv.includes('-w');
    return { ...super.settings, longRunning: isWatching };
  }

  /** Ends with the status of the run. */
  protected async watch<T>(watched: Watched<T>): Promise<void> {
    this.exitStatus = await watch(watched, {
      ...{ client: managerClient(), output: this.output, json: this.jsonEnabled() },
      terminal: terminalOf(process.stdout),
    });
  }
}
