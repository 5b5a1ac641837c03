/**
 * The configuration of Microsoft's classic manager for Windows, `Microsoft.HybridConnectionManager.Listener.exe.config`:
 * connection strings in elements `hybridConnection` of .NET's XML. No more of XML is read than that.
 */
import type { Place } from '../../config/hcm-yaml/declaration.ts';
import type { Fault } from '../../config/hcm-yaml/faults.ts';

export interface ClassicConnection {
  readonly connectionString: string;
  readonly at: Place;
}

const COMMENT = /<!--[^]*?-->/g;
const ELEMENT = /<hybridConnection\s[^>]*>/gi;
const ATTRIBUTE = /\sconnectionString\s*=\s*(?:"([^"]*)"|'([^']*)')/i;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Of Unicode. */
const MAX_CODE_POINT = 0x10ffff;

export function classicConnections(text: string): { connections: ClassicConnection[]; faults: Fault[] } {
  // Of the same length, so that places stay what they are.
  const plain = text.replace(COMMENT, (comment) => comment.replace(/[^\n]/g, ' '));
  const encrypted = /<EncryptedData\b/i.exec(plain);
  if (encrypted) {
    const what = 'a section is encrypted: decrypt it first, on that machine (aspnet_regiis -pdf)';
    return { connections: [], faults: [{ at: placeOf(plain, encrypted.index), what }] };
  }
  const connections: ClassicConnection[] = [];
  const faults: Fault[] = [];
  for (const { 0: element, index } of plain.matchAll(ELEMENT)) {
    const at = placeOf(plain, index);
    const [, double, single] = ATTRIBUTE.exec(element) ?? [];
    const value = double ?? single;
    if (value === undefined) faults.push({ at, what: 'hybridConnection: it has no connectionString' });
    else connections.push({ connectionString: decoded(value), at });
  }
  return { connections, faults };
}

function decoded(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[String(name)] ?? whole;
    const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
    return code <= MAX_CODE_POINT ? String.fromCodePoint(code) : whole;
  });
}

function placeOf(text: string, index: number): Place {
  const lines = text.slice(0, index).split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}
