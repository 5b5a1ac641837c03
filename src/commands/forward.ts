import { boolean, string } from '@oclif/core/flags';
import { openAppForwards } from '../lib/cli/app-forwards.ts';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { connectionArgs, tunnelFlags } from '../lib/cli/connection-flags.ts';
import { dialectFlag, managerFileFlag } from '../lib/cli/dialect-flags.ts';
import { EventPresenter } from '../lib/cli/event-presenter.ts';
import { openDeclaredForwards, readForwards } from '../lib/cli/forward-targets.ts';
import { networkOptions } from '../lib/cli/network-flags.ts';
import { runForward } from '../lib/cli/run-forward.ts';

export default class Forward extends BaseCommand {
  static override summary = 'Open a local port that leads to the target of a hybrid connection (the sender).';
  static override description = [
    'With "-- COMMAND", COMMAND runs while the port is open, and its status is the status of hcm. It finds the port in',
    'HCM_HOST, HCM_PORT and HCM_BIND, or in HCM_PORT_NAME and so on where there are several connections. Events then go',
    'to stderr, since stdout belongs to COMMAND. When it has ended, what it sent is still delivered, for up to',
    '--grace-period. With --app, each connection has an address of its own (127.0.0.2 and so on) and the port of its',
    'target, as in App Service. With --http, the port is a web address for a listener that serves HTTP: each request goes',
    'through the relay with its token, and COMMAND finds the address in HCM_URL. With --dialect azbridge, --bind stands',
    'there for each logical port of the listener, NAME=ADDRESS; without NAME it is named after the local port, with a U',
    'for UDP, as in azbridge; COMMAND finds it in HCM_PORT_NAME.',
  ].join(' ');
  static override usage =
    '<%= command.id %> [CONNECTION... | CONNECTION=ADDR:PORT... | --app APP | --file FILE] [--bind ADDR:PORT] [flags] [-- COMMAND...]';
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay/sql --bind 127.0.0.1:1433',
    '<%= config.bin %> <%= command.id %> my-relay/web --http --bind 127.0.0.1:8080',
    '<%= config.bin %> <%= command.id %> my-relay/bridge --dialect azbridge --bind db=127.0.0.1:5432 --bind dns=udp:5353',
    '<%= config.bin %> <%= command.id %> --file hcm.yaml',
    '<%= config.bin %> <%= command.id %> --app my-app -- npm start',
    '<%= config.bin %> <%= command.id %> db=127.0.0.1:5432 web=unix:/tmp/web.sock --connection-string-file send.txt',
    "<%= config.bin %> <%= command.id %> db --bind 127.0.0.1:0 -- sh -c 'psql -h $HCM_HOST -p $HCM_PORT'",
  ];
  static override longRunning = true;
  static override takesCommand = true;

  static override args = { connections: connectionArgs };

  static override flags = {
    ...tunnelFlags,
    bind: string({
      description:
        'Where to listen: [ADDR:]PORT or unix:PATH. Default: 127.0.0.1 and any free port. With azbridge: [NAME=]ADDRESS, also udp:[ADDR:]PORT; may be repeated.',
      helpValue: 'ADDR:PORT',
      multiple: true,
      multipleNonGreedy: true,
    }),
    dialect: dialectFlag,
    file: managerFileFlag('forwards', ['bind', 'app', 'http', 'keep-path']),
    app: string({
      description: 'Open all connections attached to this app, as the app itself sees them.',
      helpValue: 'APP',
      exclusive: ['bind', 'dialect', 'namespace', 'connection-string-file'],
    }),
    http: boolean({
      description: 'Send the requests of HTTP clients, each with the token that the relay wants.',
      exclusive: ['app'],
    }),
    'keep-path': boolean({
      description: 'With --http: do not put NAME in front of the path; the client writes it.',
      dependsOn: ['http'],
    }),
    slot: string({ description: 'Slot of the app.', helpValue: 'NAME', dependsOn: ['app'] }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Forward);
    const { output } = this;
    const names = args.connections ?? [];
    const { app, slot, file } = flags;
    const plan =
      file !== undefined
        ? await openDeclaredForwards({ file, flags, names, output })
        : app !== undefined
          ? await openAppForwards({ flags, output, names, app, slot })
          : await readForwards({ flags, names, output });
    this.exitStatus = await runForward({
      ...plan,
      options: await networkOptions(flags, output),
      events: new EventPresenter(output, this.jsonEnabled()),
      output,
      graceMs: flags['grace-period'],
      keepTrying: flags['keep-trying'],
      command: this.command,
    });
  }
}
