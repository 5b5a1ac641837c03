// docs/errors.md, read at build time: what each code means and what to do, for a page that works without the internet.
import { readFileSync } from 'node:fs';

const NAME = 'virtual:error-help';

/** A Vite plugin: `import help from 'virtual:error-help'` is `{ CODE: { text, next } }`. */
export function errorHelp(file) {
  return {
    name: 'hcm-error-help',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
    load(id) {
      if (id !== `\0${NAME}`) return undefined;
      this.addWatchFile(file);
      return `export default ${JSON.stringify(readErrorHelp(readFileSync(file, 'utf8')))};`;
    },
  };
}

function readErrorHelp(markdown) {
  const chapters = markdown.split(/^#{2,3} /m).filter((chapter) => /^HCM_[A-Z_]+\n/.test(chapter));
  return Object.fromEntries(chapters.map(readChapter));
}

function readChapter(chapter) {
  const [code, ...lines] = chapter.split('\n');
  const [text, rest = ''] = lines.join(' ').split(/Exit status:/);
  const next = /Next: (.*)/.exec(rest)?.[1];
  return [code, { text: plain(text), ...(next ? { next: plain(next) } : {}) }];
}

/** Code marks stay; links lose their addresses, since nothing here leads outside. */
function plain(markdown) {
  return markdown
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
}
