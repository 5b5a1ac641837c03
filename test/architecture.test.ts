// The arrows of docs/architecture.md: who may import whom, which npm packages a room may use, and that rooms below the
// command line know neither process nor console. Read from the sources with TypeScript's own scanner.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Room -> what it may import beside itself. Rooms are looked up by the longest prefix. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  schemas: [],
  'src/protocol': [],
  'src/websocket': [],
  'src/tunnel': ['src/protocol', 'src/websocket'],
  'src/emulator': ['src/protocol', 'src/websocket'],
  'src/manager': ['src/protocol', 'src/tunnel', 'src/lib', 'src/lib/services'],
  'src/lib': ['src/protocol', 'schemas'],
  'src/lib/services': ['src/lib', 'src/protocol', 'src/tunnel', 'src/websocket'],
  'src/lib/cli': [
    'src/lib',
    'src/lib/services',
    'src/protocol',
    'src/websocket',
    'src/tunnel',
    'src/emulator',
    'src/manager',
  ],
  'src/commands': [
    'src/lib',
    'src/lib/services',
    'src/lib/cli',
    'src/protocol',
    'src/tunnel',
    'src/emulator',
    'src/manager',
  ],
  'src/index.ts': ['src/protocol', 'src/websocket', 'src/tunnel', 'src/emulator'],
};

/** Room -> npm packages. Type-only imports of them count, too. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'src/protocol': [],
  'src/websocket': ['bufferutil'],
  'src/tunnel': ['proxy-from-env', 'socks'],
  'src/emulator': ['@peculiar/', 'proper-lockfile', 'write-file-atomic', 'jose'],
  'src/manager': ['prom-client', 'rotating-file-stream'],
  'src/lib': [],
  'src/lib/arm': ['@azure/'],
  'src/lib/auth': ['@azure/'],
  'src/lib/config': ['proper-lockfile', 'write-file-atomic', 'yaml', 'ajv'],
  'src/lib/services': [],
  'src/lib/services/doctor': ['fflate'],
  'src/lib/cli': ['@oclif/core', 'chalk', '@inquirer/prompts'],
  'src/lib/cli/manager': ['@oclif/core', 'chokidar'],
  'src/commands': ['@oclif/core'],
  'src/index.ts': [],
};

/** Node's modules that protocol, which has no sockets and no timers, may use. `node:net` for isIP and BlockList. */
const PROTOCOL_BUILTINS = new Set(['node:crypto', 'node:net', 'node:buffer']);

/** Rooms that are the program: they own the process and the terminal. */
const PROGRAM_ROOMS = new Set(['src/lib/cli', 'src/commands']);

/** Globals of the process outside the program, each with its reason. */
const PROCESS_ALLOWED: Readonly<Record<string, string>> = {
  'src/emulator/state-lock.ts': 'the lock names the process that holds it',
  'src/manager/control/control-client.ts': 'node:readline cuts an answer into lines; no terminal is near',
  'src/websocket/socket-reader.ts': 'process.nextTick is a scheduler, not the process',
};

/** Files above 400 lines, each with its reason. */
const LONG_FILES: Readonly<Record<string, string>> = {};
const MAX_LINES = 400;

interface SourceFile {
  /** From the root, with `/`. */
  path: string;
  text: string;
  imports: readonly string[];
}

describe('the arrows of the house', () => {
  let files: SourceFile[];

  before(async () => {
    const names = await readdir(join(root, 'src'), { recursive: true });
    files = names.filter((name) => name.endsWith('.ts')).map((name) => load(join(root, 'src', name)));
  });

  it('each room imports only the rooms it may', () => {
    const wrong = files.flatMap(({ path, imports }) => {
      const room = roomOf(path);
      return imports
        .filter((name) => name.startsWith('.'))
        .flatMap((name) => {
          const imported = resolveImport(path, name);
          const other = roomOf(imported);
          return other === room || ARROWS[room]?.includes(other) ? [] : [`${path} imports ${imported}`];
        });
    });
    assert.deepEqual(wrong, []);
  });

  it('a command imports no other command', () => {
    const wrong = files
      .filter(({ path }) => path.startsWith('src/commands/'))
      .flatMap(({ path, imports }) => imports.map((name) => `${path} imports ${resolveImport(path, name)}`))
      .filter((line) => line.includes(' imports src/commands/'));
    assert.deepEqual(wrong, []);
  });

  it('each room uses only its npm packages', () => {
    const wrong = files.flatMap(({ path, imports }) => {
      const allowed = packagesOf(path);
      return imports.filter(isPackage).flatMap((name) => {
        const known = allowed.some(
          (prefix) => name === prefix || name.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`),
        );
        return known ? [] : [`${path} imports ${name}`];
      });
    });
    assert.deepEqual(wrong, []);
  });

  it('the SDKs of Azure are loaded by the call that needs them, not with the program', () => {
    const wrong = files.flatMap(({ path, text }) =>
      loadedPackages(path, text)
        .filter((name) => /^(?:@azure\/|@inquirer\/)/.test(name))
        .map((name) => `${path} imports ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  // Such an import works from source, where Node finds the names, and not in the bundle, which knows `default` alone.
  it('a CommonJS package that is loaded when it is needed is asked for its default', () => {
    const wrong = files.flatMap(({ path, text }) =>
      [...text.matchAll(/const \{ (?!default\b)[^}]*\} = await import\('([^.:']+)'\)/g)]
        .map(([, name = '']) => name)
        .filter((name) => !isEsPackage(name))
        .map((name) => `${path} loads ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  it("Node's own modules are imported with node: in front", () => {
    const bare = new Set([
      'fs',
      'net',
      'tls',
      'path',
      'os',
      'crypto',
      'http',
      'https',
      'events',
      'stream',
      'url',
      'util',
    ]);
    const wrong = files.flatMap(({ path, imports }) =>
      imports.filter((name) => bare.has(name)).map((name) => `${path} imports ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('protocol opens no sockets, files, or timers', () => {
    const wrong = files
      .filter(({ path }) => roomOf(path) === 'src/protocol')
      .flatMap(({ path, text, imports }) => [
        ...imports
          .filter((name) => name.startsWith('node:') && !PROTOCOL_BUILTINS.has(name))
          .map((name) => `${path} imports ${name}`),
        ...[...identifiersOf(path, text)]
          .filter((name) => /^(?:setTimeout|setInterval|setImmediate|connect|createServer)$/.test(name))
          .map((name) => `${path} uses ${name}`),
      ]);
    assert.deepEqual(wrong, []);
  });

  it('only the program touches the process and the console', () => {
    const wrong = files
      .filter(({ path }) => !PROGRAM_ROOMS.has(roomOf(path)) && PROCESS_ALLOWED[path] === undefined)
      .flatMap(({ path, text, imports }) => [
        ...[...identifiersOf(path, text)]
          .filter((name) => name === 'process' || name === 'console')
          .map((name) => `${path} uses ${name}`),
        ...imports
          .filter((name) => /^node:(?:process|console|readline|tty)/.test(name))
          .map((name) => `${path} imports ${name}`),
      ]);
    assert.deepEqual(wrong, []);
  });

  it('no files import each other in a circle', () => {
    assert.deepEqual(findCycles(files), []);
  });

  it('src/index.ts is the only barrel', () => {
    const barrels = files
      .filter(({ path, text }) => path !== 'src/index.ts' && isBarrel(path, text))
      .map(({ path }) => path);
    assert.deepEqual(barrels, []);
  });

  it('no file is longer than one sitting', () => {
    const long = files
      .filter(({ path, text }) => text.split('\n').length - 1 > MAX_LINES && LONG_FILES[path] === undefined)
      .map(({ path }) => path);
    assert.deepEqual(long, []);
  });

  it('file names are nouns in kebab-case, and none is a grab bag', () => {
    const wrong = files
      .map(({ path }) => path)
      .filter(
        (path) =>
          !/^[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/.test(posix.basename(path)) ||
          /\b(?:utils?|helpers?|common|misc)\.ts$/.test(path),
      );
    assert.deepEqual(wrong, []);
  });

  it('every exception on the lists is still needed', () => {
    const paths = new Set(files.map(({ path }) => path));
    const stale = [...Object.keys(PROCESS_ALLOWED), ...Object.keys(LONG_FILES)].filter(
      (path) => !paths.has(path),
    );
    assert.deepEqual(stale, []);
  });
});

function isEsPackage(name: string): boolean {
  const manifest = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
    type?: string;
    module?: string;
    exports?: unknown;
  };
  if (manifest.type === 'module' || manifest.module !== undefined) return true;
  return JSON.stringify(manifest.exports ?? '').includes('"import":');
}

function load(file: string): SourceFile {
  const text = readFileSync(file, 'utf8');
  const { importedFiles } = ts.preProcessFile(text, true, true);
  return {
    path: relative(root, file).split(sep).join('/'),
    text,
    imports: importedFiles.map(({ fileName }) => fileName),
  };
}

function roomOf(path: string): string {
  const rooms = Object.keys(ARROWS).filter((room) => path === room || path.startsWith(`${room}/`));
  const room = rooms.sort((a, b) => b.length - a.length)[0];
  assert.ok(room, `${path} is in no room; give it one in ARROWS`);
  return room;
}

/** Of the longest prefix: parts of a room may have packages of their own. */
function packagesOf(path: string): readonly string[] {
  const rooms = Object.keys(PACKAGES).filter((room) => path === room || path.startsWith(`${room}/`));
  const room = rooms.sort((a, b) => b.length - a.length)[0];
  return room === undefined ? [] : (PACKAGES[room] ?? []);
}

function resolveImport(from: string, name: string): string {
  return name.startsWith('.') ? posix.join(posix.dirname(from), name) : name;
}

function isPackage(name: string): boolean {
  return !name.startsWith('.') && !name.startsWith('node:');
}

/** Names that stand alone: not a property, not a key, not in a comment or a text. */
function* identifiersOf(path: string, text: string): Generator<string> {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const pending: ts.Node[] = [file];
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (ts.isIdentifier(node) && !isMemberName(node)) yield node.text;
    pending.push(...node.getChildren(file));
  }
}

function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    ((ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodDeclaration(parent)) &&
      parent.name === node)
  );
}

/** Two re-exports or more, and nothing else in it. */
function isBarrel(path: string, text: string): boolean {
  const { statements } = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const isReExport = (node: ts.Statement) =>
    ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined;
  return (
    statements.length > 1 && statements.every((node) => isReExport(node) || ts.isImportDeclaration(node))
  );
}

/** Circles of imports that exist at run time, each as `a -> b -> a`. */
function findCycles(files: readonly SourceFile[]): string[] {
  const graph = new Map(files.map(({ path, text }) => [path, runtimeImports(path, text)]));
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
      return;
    }
    state.set(path, 'open');
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    state.set(path, 'done');
  };
  for (const path of graph.keys()) visit(path, []);
  return cycles;
}

/** Types vanish; two files may know each other's. */
function runtimeImports(path: string, text: string): string[] {
  return importedAtLoad(path, text)
    .filter((name) => name.startsWith('.'))
    .map((name) => resolveImport(path, name));
}

function loadedPackages(path: string, text: string): string[] {
  return importedAtLoad(path, text).filter(isPackage);
}

/** What is imported when the file is loaded: neither types nor `import()`. */
function importedAtLoad(path: string, text: string): string[] {
  const { statements } = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  return statements.flatMap((node) => {
    const from =
      ts.isImportDeclaration(node) && !node.importClause?.isTypeOnly
        ? node.moduleSpecifier
        : ts.isExportDeclaration(node) && !node.isTypeOnly
          ? node.moduleSpecifier
          : undefined;
    return from && ts.isStringLiteral(from) ? [from.text] : [];
  });
}
