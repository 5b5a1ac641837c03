import { boolean, integer, option, string } from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { connectionArgs, tunnelFlags } from '../lib/cli/connection-flags.ts';
import { dialectFlag, managerFileFlag } from '../lib/cli/dialect-flags.ts';
import { EventPresenter } from '../lib/cli/event-presenter.ts';
import { openDeclaredListeners, readListeners } from '../lib/cli/listen-targets.ts';
import { duration, networkOptions } from '../lib/cli/network-flags.ts';
import { runListeners } from '../lib/cli/run-listeners.ts';

/** What an entry of the file says for itself. */
const LISTENER_FLAGS = [
  ...['target', 'allow', 'max-streams', 'dial-timeout'],
  ...['keep-path', 'host-header', 'proxy-protocol'],
];

export default class Listen extends BaseCommand {
  static override summary = 'Let Azure reach a host and port from here (the listener).';
  static override description = [
    'Registers at the relay and forwards each connection to the target. Without --target the target is read from the',
    "hybrid connection, as Microsoft's Hybrid Connection Manager does. An http:// or https:// target takes relayed HTTP",
    'requests, too. With --dialect azbridge, --target stands there for each logical port, NAME=ADDRESS; without NAME it is',
    'named after its port, with a U for UDP, as in azbridge.',
  ].join(' ');
  static override usage = '<%= command.id %> [CONNECTION...] [--target ADDRESS...] [flags]';
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay/db --target db.corp.local:5432',
    '<%= config.bin %> <%= command.id %> my-relay/web --target http://intranet.corp.local/app',
    '<%= config.bin %> <%= command.id %> my-relay/bridge --dialect azbridge --target db=db.corp.local:5432 --target udp:10.0.0.2:53',
    '<%= config.bin %> <%= command.id %> --connection-string-file listen.txt',
    '<%= config.bin %> <%= command.id %> orders stock --connection-string-file namespace.txt --json',
    '<%= config.bin %> <%= command.id %> --file hcm.yaml',
  ];
  static override longRunning = true;

  static override args = { connections: connectionArgs };

  static override flags = {
    ...tunnelFlags,
    target: string({
      description:
        'Where connections go: HOST:PORT, unix:PATH, http(s)://HOST:PORT/BASE. Default: what the hybrid connection says. With azbridge: [NAME=]ADDRESS, also udp:HOST:PORT; may be repeated.',
      helpValue: 'ADDRESS',
      multiple: true,
      multipleNonGreedy: true,
    }),
    dialect: dialectFlag,
    file: managerFileFlag('listeners', LISTENER_FLAGS),
    allow: string({
      description:
        'Dial only such targets: HOST:PORT, *.NAME:PORT, 10.0.0.0/8:FROM-TO, HOST:*. May be repeated.',
      helpValue: 'RULE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'max-streams': integer({
      description: 'Streams and requests at a time; more are turned away.',
      min: 1,
    }),
    'dial-timeout': duration({ description: 'Limit for reaching the target. Default: 10s.' }),
    'keep-path': boolean({
      description: 'Leave the name of the hybrid connection in the path of requests to an HTTP target.',
    }),
    'host-header': string({
      description:
        "Host of requests to an HTTP target: original (the sender's), or a text. Default: the target's.",
      helpValue: 'original|TEXT',
    }),
    'proxy-protocol': option({
      description: 'Tell the target who its client is, in a PROXY protocol header before the first byte.',
      options: ['v2'] as const,
    })(),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Listen);
    const { output } = this;
    const names = args.connections ?? [];
    const shared = { ...(await networkOptions(flags, output)), keepTrying: flags['keep-trying'] };
    const listeners =
      flags.file === undefined
        ? await readListeners({ flags, names, output }, shared)
        : await openDeclaredListeners({ file: flags.file, flags, names, output }, shared);
    this.exitStatus = await runListeners({
      listeners,
      events: new EventPresenter(output, this.jsonEnabled()),
      graceMs: flags['grace-period'],
    });
  }
}
