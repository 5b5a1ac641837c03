/**
 * As much XML as the relay's small answers need: escaping, and the content of an element found by its local name. Not
 * a parser: no attributes, no document types, no nesting of equal names.
 */

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Text fit for content and attributes. Characters that XML 1.0 cannot hold become U+FFFD. */
export function escapeXml(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"']|\r/g, (char) => `&#${char.charCodeAt(0)};`);
}

/**
 * The document without comments and with CDATA turned into escaped text; undefined for one with a document type or an
 * unfinished section. One pass, so that no document makes it slow.
 */
export function flattenXml(xml: string): string | undefined {
  let flat = '';
  let at = 0;
  for (let mark = xml.indexOf('<!'); mark >= 0; mark = xml.indexOf('<!', at)) {
    flat += xml.slice(at, mark);
    const cdata = xml.startsWith('<![CDATA[', mark);
    if (!cdata && !xml.startsWith('<!--', mark)) return undefined;
    const start = mark + (cdata ? 9 : 4);
    const end = xml.indexOf(cdata ? ']]>' : '-->', start);
    if (end < 0) return undefined;
    if (cdata) flat += escapeXml(xml.slice(start, end));
    at = end + 3;
  }
  return flat + xml.slice(at);
}

/**
 * The content of the first element of this local name, whatever its prefix; undefined when there is none or it is nil.
 * @param xml a document from `flattenXml`, or a part of it.
 * @param options.decode whether references such as `&amp;` are resolved.
 */
export function elementText(
  xml: string,
  name: string,
  options: { decode?: boolean } = {},
): string | undefined {
  const open = new RegExp(`<(?:[\\w.-]{1,64}:)?${name}(\\s[^<>]*?)?(/)?>`).exec(xml);
  if (open === null) return undefined;
  if (/\bnil\s*=\s*["'](?:true|1)["']/.test(open[1] ?? '')) return undefined;
  if (open[2] !== undefined) return '';
  const rest = xml.slice(open.index + open[0].length);
  const close = new RegExp(`</(?:[\\w.-]{1,64}:)?${name}\\s{0,64}>`).exec(rest);
  if (close === null) return undefined;
  const content = rest.slice(0, close.index);
  return options.decode === true ? decodeXml(content) : content;
}

function decodeXml(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{1,8}));/gi,
    (all, dec?: string, hex?: string, name?: string) => {
      if (name !== undefined) return NAMED[name] ?? all;
      const point = dec === undefined ? parseInt(hex ?? '', 16) : Number(dec);
      return point <= 0x10ffff ? String.fromCodePoint(point) : all;
    },
  );
}
