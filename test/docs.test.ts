// The documents against the code: error codes and their statuses, commands and flags, names of files and variables,
// links and anchors. What these tests cannot see, a person must.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import {
  describeCommands,
  docsFolder,
  renderPages,
  root,
  type CommandDescription,
} from '../scripts/command-docs.ts';
import { ERROR_TABLE } from '../src/lib/error-table.ts';
import { ERROR_CODES } from '../src/protocol/errors.ts';

/** Not ours to document, or made by a program. */
const SKIPPED = new Set(['node_modules', 'dist', 'results', '.git', '.tmp']);
/** Variables of the environment that are made from a prefix: `HCM_PORT_ORDERS`. */
const TUNNEL_VARIABLE = /^HCM_(?:HOST|PORT|BIND|URL)(?:_|$)/;
/** Places of the machine that hcm was written on mean nothing to anybody else. */
const FORBIDDEN = [['', 'work', ''].join('/'), ['shared', ''].join('/')];

interface Page {
  /** From the root, with `/`. */
  path: string;
  text: string;
  /** The same without fenced code. */
  prose: string;
}

function filesBelow(folder: string, extension: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path, extension);
    return entry.name.endsWith(extension) ? [path] : [];
  });
}

function readPage(file: string): Page {
  const text = readFileSync(file, 'utf8');
  const prose = text.replace(/^ *(```+)[^\n]*\n[\s\S]*?^ *\1 *$/gm, '');
  return { path: relative(root, file).split(sep).join('/'), text, prose };
}

const pages = filesBelow(root, '.md').map(readPage);
const page = (path: string): Page => {
  const found = pages.find((one) => one.path === path);
  assert.ok(found, `${path} is missing`);
  return found;
};

/** Each heading of errors.md with what stands below it. */
function errorSections(): Map<string, string> {
  const parts = page('docs/errors.md').text.split(/^### /m).slice(1);
  return new Map(
    parts.map((part) => {
      const [heading = '', ...rest] = part.split('\n');
      return [heading.trim(), rest.join('\n')];
    }),
  );
}

describe('the documents', () => {
  it('errors.md explains exactly the codes there are, each with its exit status', () => {
    const sections = errorSections();
    assert.deepEqual([...sections.keys()].sort(), [...ERROR_CODES].sort());
    const statuses = [...sections].map(([code, text]) => [
      code,
      Number(/^Exit status: (\d+)/m.exec(text)?.[1]),
    ]);
    const wanted = [...sections.keys()].map((code) => [
      code,
      ERROR_TABLE[code as keyof typeof ERROR_TABLE].exitStatus,
    ]);
    assert.deepEqual(statuses, wanted);
  });

  it('every command has its page, as it would be written today', async () => {
    const wanted = await renderPages();
    const found = new Map(
      readdirSync(docsFolder).map((file) => [file, readFileSync(join(docsFolder, file), 'utf8')]),
    );
    assert.deepEqual([...found.keys()].sort(), [...wanted.keys()].sort());
    for (const [file, text] of wanted) assert.equal(found.get(file), text, `npm run docs: ${file}`);
  });

  it('the table of commands in the README names exactly the commands there are', async () => {
    const rows = [...page('README.md').prose.matchAll(/^\|\s*\[`hcm ([a-z -]+)`\]\(/gm)].map(
      ([, name = '']) => name,
    );
    const commands = (await describeCommands()).map(({ name }) => name);
    assert.deepEqual(rows.sort(), commands.sort());
  });

  it('command lines in the documents use commands and flags that exist', async () => {
    const commands = await describeCommands();
    const wrong = pages.flatMap(({ path, text }) =>
      [...text.matchAll(/^ *```sh\n([\s\S]*?)^ *```/gm)].flatMap(([, block = '']) =>
        faultsOf(block, commands).map((fault) => `${path}: ${fault}`),
      ),
    );
    assert.deepEqual(wrong, []);
  });

  it('variables of the environment that are named exist', () => {
    const sources = ['src', 'bench'].flatMap((folder) => filesBelow(join(root, folder), '.ts'));
    const code = sources.map((file) => readFileSync(file, 'utf8')).join('\n');
    const wrong = pages.flatMap(({ path, text }) =>
      [...new Set(text.match(/\bHCM_[A-Z_]*[A-Z]\b/g) ?? [])]
        .filter((name) => !TUNNEL_VARIABLE.test(name) && !code.includes(`'${name}'`))
        .map((name) => `${path}: ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('files that are named exist', () => {
    const wrong = pages.flatMap(({ path, prose }) =>
      [...prose.matchAll(/`((?:src|test|bench|docs|scripts|bin|\.ci)\/[\w./-]+)`/g)]
        .map(([, name = '']) => name)
        .filter((name) => !existsSync(join(root, name)) && !/^bench\/results/.test(name))
        .map((name) => `${path}: ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('relative links lead to files and headings that exist', () => {
    const wrong = pages.flatMap(({ path, prose }) =>
      [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, link = '']) => link)
        .filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(path, link))
        .map((link) => `${path}: ${link}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('no file names a place of the machine that it was written on', () => {
    const files = ['.md', '.ts'].flatMap((extension) => filesBelow(root, extension));
    const wrong = files.flatMap((file) => {
      const text = readFileSync(file, 'utf8');
      return FORBIDDEN.filter((word) => text.includes(word)).map(
        (word) => `${relative(root, file)} has ${word}`,
      );
    });
    assert.deepEqual(wrong, []);
  });
});

/** What is wrong with the command lines of one shell block. */
function faultsOf(block: string, commands: readonly CommandDescription[]): string[] {
  const lines = block.replace(/\\\n\s*/g, ' ').split('\n');
  return lines.flatMap((line) =>
    [...line.matchAll(/(?:(?<![\w./-])hcm|bin\/(?:run|dev)\.js)((?: +[^\s|&;()'"]+)+)/g)].flatMap(
      ([, text = '']) => {
        const [typed = ''] = text.trim().split(/ -- | --$/);
        if (/^(?:--help|--version|help)\b/.test(typed) || /^[A-Z]/.test(typed)) return [];
        const command = commands
          .filter(({ name }) => typed === name || typed.startsWith(`${name} `))
          .sort((a, b) => b.name.length - a.name.length)[0];
        if (command === undefined) return [`there is no "hcm ${typed}"`];
        const known = new Set([...command.flags.map(({ name }) => name), 'help']);
        return [...typed.matchAll(/(?<=^|\s)--([a-z][a-z-]*)/g)]
          .map(([, flag = '']) => flag)
          .filter((flag) => !known.has(flag))
          .map((flag) => `hcm ${command.name} has no --${flag}`);
      },
    ),
  );
}

function leadsSomewhere(from: string, link: string): boolean {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? from : posix.join(dirname(from), file);
  if (!existsSync(join(root, target))) return false;
  if (anchor === undefined) return true;
  const linked = pages.find(({ path }) => path === target);
  return linked !== undefined && anchorsOf(linked).has(anchor);
}

/** As GitHub makes them of headings. */
function anchorsOf({ prose }: Page): Set<string> {
  const seen = new Map<string, number>();
  const anchors = [...prose.matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, heading = '']) => {
    const slug = heading
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
  return new Set(anchors);
}
