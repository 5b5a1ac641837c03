// Builds dist/: one bundle with shared chunks of the library door, the program and every command (loading many small
// modules is what makes a start slow), the web page, the declarations of the library door, oclif's manifest, and the
// licences of what was bundled. Always starts from nothing.
import { Plugin } from '@oclif/core/config';
import { settings } from '@oclif/core/settings';
import { build } from 'esbuild';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build as buildPage } from 'vite';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');

// bufferutil is native and optional; the others are what oclif would use in development, and are asked for in a `try`.
const external = ['bufferutil', 'typescript', 'ts-node', 'tsx'];

// Bundled CommonJS modules still ask for Node's own ones by `require`.
const requireForCommonJs =
  "import { createRequire as hcmCreateRequire } from 'node:module'; const require = hcmCreateRequire(import.meta.url);";

rmSync(dist, { recursive: true, force: true });
rmSync(join(root, 'oclif.manifest.json'), { force: true });
const [programFiles, pageFiles] = await Promise.all([bundle(), bundlePage(), declare()]);
writeFileSync(join(dist, 'THIRD-PARTY-LICENSES.txt'), licencesOf([...programFiles, ...pageFiles]));
await writeManifest();

/** @returns the files that went into it, from the root. */
async function bundle() {
  const commands = readdirSync(join(root, 'src', 'commands'), { recursive: true, encoding: 'utf8' });
  const result = await build({
    absWorkingDir: root,
    entryPoints: [
      'src/index.ts',
      'src/lib/cli/main.ts',
      ...commands.filter((file) => file.endsWith('.ts')).map((file) => join('src/commands', file)),
    ],
    outbase: 'src',
    outdir: dist,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    external,
    banner: { js: requireForCommonJs },
    // The ES modules of packages that have both: what is not used of them is left out.
    mainFields: ['module', 'main'],
    define: {
      __dirname: 'import.meta.dirname',
      __filename: 'import.meta.filename',
      // Azure's pipeline asks whether a body is one; Node would load all of undici to answer, and none ever is.
      FormData: 'undefined',
    },
    metafile: true,
    logLevel: 'warning',
  });
  return Object.keys(result.metafile.inputs);
}

/** The web page, into dist/dashboard. @returns the files that went into it, from the root. */
async function bundlePage() {
  const { output } = await buildPage({ configFile: join(root, 'dashboard', 'vite.config.js') });
  return output
    .flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []))
    .map((file) => relative(root, file));
}

/** Types are checked by `npm run check:types`; this only writes them down. */
function declare() {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const project = join(root, 'scripts', 'tsconfig.declarations.json');
  return promisify(execFile)(process.execPath, [tsc, '-p', project]).catch((error) => {
    throw new Error(`tsc could not write the declarations:\n${error.stdout}`);
  });
}

/** What the bundled packages' licences ask for: their text goes along. */
function licencesOf(files) {
  const packages = new Map();
  for (const file of files) {
    const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
    if (folder && !packages.has(folder)) packages.set(folder, licenceOf(join(root, folder)));
  }
  return `hcm contains these packages.\n\n${[...packages.values()].sort().join('\n\n')}\n`;
}

function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(join(folder, file), 'utf8').trim() : '';
  return `${'-'.repeat(80)}\n${name} ${version} (${license})\n\n${text}`.trim();
}

async function writeManifest() {
  settings.enableAutoTranspile = false;
  const plugin = new Plugin({ root, isRoot: true, ignoreManifest: true, errorOnManifestCreate: true });
  await plugin.load();
  writeFileSync(join(root, 'oclif.manifest.json'), `${JSON.stringify(plugin.manifest)}\n`);
}
