import { string as stringArg } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import type { ConnectionView } from '../manager/control/operations.ts';
import { managerClient } from '../lib/cli/manager/manager-flags.ts';
import { managedLines, printManaged } from '../lib/cli/manager/manager-presenter.ts';
import { nameFilter } from '../lib/cli/manager/name-filter.ts';
import { WatchingCommand, watchFlags } from '../lib/cli/manager/watching-command.ts';

export default class List extends WatchingCommand {
  static override summary =
    'List the connections of the running manager, with their state and the reason for it.';
  static override description =
    'With --watch they are drawn anew at each change; with --watch --json the first line is a snapshot, and each event of a connection another.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    "<%= config.bin %> <%= command.id %> 'my-relay/*' --watch",
    '<%= config.bin %> <%= command.id %> --state degraded --json',
  ];

  static override args = {
    pattern: stringArg({
      name: 'PATTERN',
      description: 'Only those of this name; * is any text. A namespace alone: all of it.',
      ignoreStdin: true,
    }),
  };
  static override flags = {
    state: string({
      description: 'Only those in this state.',
      options: ['connecting', 'online', 'degraded', 'target-down', 'waiting', 'failed', 'stopped'],
    }),
    role: string({ description: 'Only those of this role.', options: ['listener', 'forward'] }),
    ...watchFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(List);
    const client = managerClient();
    const isNamed = nameFilter(args.pattern);
    const isWanted = ({ connection, role }: Pick<ConnectionView, 'connection' | 'role'>) =>
      isNamed(connection) && (flags.role === undefined || role === flags.role);
    const choose = (all: readonly ConnectionView[]) =>
      all.filter((one) => isWanted(one) && (flags.state === undefined || one.state === flags.state));
    if (flags.watch) {
      return this.watch({
        title: 'hcm list',
        read: async () => choose(await client.list()),
        lines: (found, nowMs) => (found.length === 0 ? ['None.'] : managedLines(found, nowMs)),
        snapshot: (connections) => ({ connections }),
        concerns: ({ id }) => id === undefined || isWanted(ofId(id)),
      });
    }
    const all = await client.list();
    const connections = choose(all);
    if (this.jsonEnabled()) return this.output.json(connections);
    printManaged(this.output, connections, Date.now(), all.length);
  }
}

/** `listen NAMESPACE/NAME`, with a number behind it for further local ports. */
function ofId(id: string): Pick<ConnectionView, 'connection' | 'role'> {
  const [role, connection = ''] = id.split(' ');
  return { role: role === 'listen' ? 'listener' : 'forward', connection };
}
