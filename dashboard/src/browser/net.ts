/** What `src/protocol` asks of Node's `net`, for the browser. */

export function isIPv6(text: string): boolean {
  return /^[0-9a-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]/`);
}
