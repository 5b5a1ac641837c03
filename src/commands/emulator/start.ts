import { boolean, integer, string } from '@oclif/core/flags';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { runEmulator } from '../../lib/cli/run-emulator.ts';
import { EventPresenter } from '../../lib/cli/event-presenter.ts';
import { parseConnectionSpec } from '../../lib/cli/local-azure.ts';
import { statePaths } from '../../lib/config/paths.ts';

const DEFAULT_PORT = 5443;

export default class EmulatorStart extends BaseCommand {
  static override summary = 'Run a local Azure: a relay on this machine, with no account and no network.';
  static override description =
    'One TLS port serves all of it. Its keys are random and good for this machine alone, so they are printed. hcm trusts its certificate by itself; other clients need the CA file that is printed.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --connection demo=127.0.0.1:5432',
    '<%= config.bin %> <%= command.id %> --port 0 --ephemeral --connection demo --json',
  ];
  static override longRunning = true;

  static override flags = {
    port: integer({
      description: 'TLS port; 0 is any free one.',
      min: 0,
      max: 65_535,
      default: DEFAULT_PORT,
    }),
    host: string({ description: 'Address to listen on.', helpValue: 'ADDR', default: '127.0.0.1' }),
    ephemeral: boolean({ description: 'Forget everything at the end.', exclusive: ['state-dir'] }),
    'state-dir': string({
      description: "Keep the state here. Default: the user's state folder.",
      helpValue: 'DIR',
    }),
    register: boolean({
      description: 'Be the cloud "local" of this user. Default: unless --ephemeral or --state-dir is given.',
      allowNo: true,
    }),
    connection: string({
      description: 'Hybrid connection to have, with its target. May be repeated.',
      helpValue: 'NAME[=HOST:PORT]',
      multiple: true,
      multipleNonGreedy: true,
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(EmulatorStart);
    const kept = flags['state-dir'] ?? statePaths(process.env).emulatorDirectory;
    this.exitStatus = await runEmulator({
      port: flags.port,
      host: flags.host,
      connections: (flags.connection ?? []).map(parseConnectionSpec),
      stateDirectory: flags.ephemeral ? undefined : kept,
      register: flags.register ?? (!flags.ephemeral && flags['state-dir'] === undefined),
      output: this.output,
      events: new EventPresenter(this.output, this.jsonEnabled()),
    });
  }
}
