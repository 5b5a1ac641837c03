import { string } from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { connectionArg, connectionRequest, streamFlags } from '../lib/cli/connection-flags.ts';
import { readConnections } from '../lib/cli/connection-input.ts';
import { dialectFlag, logicalPortOf } from '../lib/cli/dialect-flags.ts';
import { EventPresenter } from '../lib/cli/event-presenter.ts';
import { networkOptions } from '../lib/cli/network-flags.ts';
import { onlyOne, runConnect } from '../lib/cli/run-connect.ts';

export default class Connect extends BaseCommand {
  static override summary =
    'Join stdin and stdout with the target of a hybrid connection (SSH ProxyCommand).';
  static override description =
    'stdout carries the bytes of the connection, so with --json the events go to stderr, "ready" first: the input is valid and the stream is being opened.';
  static override usage = '<%= command.id %> [CONNECTION] [flags]';
  static override examples = [
    "ssh -o ProxyCommand='<%= config.bin %> <%= command.id %> my-relay/ssh' user@host",
    '<%= config.bin %> <%= command.id %> --connection-string-file send.txt < request.txt > answer.txt',
    '<%= config.bin %> <%= command.id %> my-relay/bridge --dialect azbridge --port ssh',
  ];
  static override longRunning = true;
  static override streamsStdout = true;

  static override args = { connection: connectionArg };
  static override flags = {
    ...streamFlags,
    dialect: dialectFlag,
    port: string({ description: 'With --dialect azbridge: the logical port.', helpValue: 'NAME' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Connect);
    const { output } = this;
    const logicalPort = logicalPortOf(flags);
    const names = args.connection === undefined ? [] : [args.connection];
    const request = connectionRequest(flags, { names, output, right: 'Send', stdinTaken: true });
    this.exitStatus = await runConnect({
      connection: onlyOne(await readConnections(request)),
      logicalPort,
      options: await networkOptions(flags, output),
      events: new EventPresenter(output, this.jsonEnabled()),
      graceMs: flags['grace-period'],
    });
  }
}
