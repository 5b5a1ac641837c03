/** Commands as one types them: words quoted where a shell would take them apart. Pure. */

const PLAIN = /^[0-9A-Za-z_@%+=:,./-]+$/;
/** Between double quotes, sh, PowerShell and cmd all leave the rest alone. */
const NEEDS_SINGLE_QUOTES = /["$`!\\]/;

export function commandLine(words: readonly (string | readonly string[])[]): string {
  return words.flat().map(shellWord).join(' ');
}

export function shellWord(word: string): string {
  if (PLAIN.test(word)) return word;
  return NEEDS_SINGLE_QUOTES.test(word) ? `'${word.replaceAll("'", `'\\''`)}'` : `"${word}"`;
}
