import { BaseCommand } from '../../lib/cli/base-command.ts';
import { listClouds } from '../../lib/cli/run-cloud.ts';

export default class CloudList extends BaseCommand {
  static override summary = 'List the clouds that hcm knows; the one in use has a star.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async run(): Promise<void> {
    await this.parse(CloudList);
    await listClouds({ output: this.output, json: this.jsonEnabled() });
  }
}
