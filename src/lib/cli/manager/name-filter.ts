/** Which connections a pattern means: a name with `*` for any text, or a whole namespace. */

/** `*` stands for any text. Without a slash it is about the namespace. Names of Azure are compared without case. */
export function nameFilter(pattern: string | undefined): (connection: string) => boolean {
  if (pattern === undefined) return () => true;
  const whole = pattern.includes('/') ? pattern : `${pattern}/*`;
  const [first = '', ...rest] = whole.split('*').map((text) => text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  const expression = new RegExp(`^${[first, ...rest].join('.*')}$`, 'i');
  return (connection) => expression.test(connection);
}
