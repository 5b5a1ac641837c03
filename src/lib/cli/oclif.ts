/**
 * oclif, closed up: nothing that lies around in the user's folders is taken for a plugin, and nothing but the given
 * folder for sources. Imported only by what needs oclif, because loading it takes as long as starting Node.
 */
import { Config, Plugin } from '@oclif/core/config';
import { Help } from '@oclif/core/help';
import { settings } from '@oclif/core/settings';
import { loadPackage } from './package-file.ts';

const CLOSED = { devPlugins: false, userPlugins: false };

// With a tsconfig.json in sight oclif would look for sources by itself.
settings.enableAutoTranspile = false;

/** The commands of dist/, as its manifest has them. */
export function loadBuiltConfig(root: string): Promise<Config> {
  return Config.load({ root, ...CLOSED });
}

/** The commands of src/, whatever the manifest has; tsx must be registered. */
export async function loadSourceConfig(root: string): Promise<Config> {
  const { oclif, ...rest } = loadPackage(root);
  const commands = { strategy: 'pattern', target: './src/commands', globPatterns: ['**/*.ts'] };
  const pjson = { ...rest, oclif: { ...oclif, commands } } as unknown as Config['pjson'];
  const plugin = new Plugin({ root, pjson, isRoot: true, ignoreManifest: true, name: rest.name });
  await plugin.load();
  return Config.load({ root, pjson, plugins: new Map([[plugin.name, plugin]]), ...CLOSED });
}

/** Prints the help of a command or a topic on stdout. */
export async function printHelp(config: Config, id: string): Promise<void> {
  await new Help(config).showHelp(id.split(':'));
}
