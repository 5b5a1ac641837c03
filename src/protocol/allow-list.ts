/**
 * What a listener may be made to dial: rules by name or by address, and ports, or a Unix socket's path. A rule by address is asked about the
 * address that is then dialed, never about a name, so that a name cannot be pointed somewhere else in between.
 */
import { BlockList, isIP, isIPv4 } from 'node:net';
import { HcmError } from './errors.ts';
import { isUsablePath, socketPath } from './target.ts';

/** One rule. `text` is as written, for messages. */
export interface AllowRule {
  readonly text: string;
  readonly host:
    | { readonly kind: 'name'; readonly name: string }
    /** Every name below `suffix`, at any depth, but not `suffix` itself. */
    | { readonly kind: 'below'; readonly suffix: string }
    | { readonly kind: 'net'; readonly address: string; readonly prefix: number }
    /** One Unix socket (or Windows pipe), as written. It has no ports: both are 0. */
    | { readonly kind: 'path'; readonly path: string };
  readonly fromPort: number;
  readonly toPort: number;
}

/** What is about to be dialed: the name asked for, and the address it resolved to. */
export interface DialCandidate {
  readonly host: string;
  readonly address: string;
  readonly port: number;
}

/**
 * Reads a rule: `HOST:PORT`, `HOST:FROM-TO`, `HOST:*`, where HOST is a name, `*.NAME`, an address, or a network such as
 * `10.0.0.0/8` or `[fd00::]/8`; or `unix:PATH` (an absolute path, a Windows pipe).
 * @throws HcmError HCM_ALLOW_INVALID; `details.reason` is ports-missing, ports, ipv6-brackets, network, host or path.
 */
export function parseAllowRule(text: string): AllowRule {
  const trimmed = text.trim();
  const path = socketPath(trimmed);
  if (path !== undefined) {
    if (!isUsablePath(path)) throw fault('path', text, 'it has no usable path');
    return { text: trimmed, host: { kind: 'path', path }, fromPort: 0, toPort: 0 };
  }
  const match = /^(?:tcp:)?(\[[^\]]*\](?:\/[^:]*)?|[^[\]]*):([^:[\]]*)$/i.exec(trimmed);
  if (match === null) throw fault('ports-missing', text, 'it does not end in :PORT, :FROM-TO or :*');
  const [, hostText = '', portText = ''] = match;
  return { text: trimmed, host: parseHost(hostText, text), ...parsePorts(portText, text) };
}

/** True when one of the rules covers the host (or its address) and the port. No rules allow nothing. */
export function allows(rules: readonly AllowRule[], candidate: DialCandidate): boolean {
  const host = candidate.host.toLowerCase().replace(/\.$/, '');
  const address = plainAddress(candidate.address);
  return rules.some(
    (rule) =>
      candidate.port >= rule.fromPort && candidate.port <= rule.toPort && covers(rule.host, host, address),
  );
}

/** True when one of the rules names the socket: no patterns, and links are not followed. */
export function allowsPath(rules: readonly AllowRule[], path: string): boolean {
  return rules.some(({ host }) => host.kind === 'path' && host.path === path);
}

function covers(rule: AllowRule['host'], host: string, address: string): boolean {
  switch (rule.kind) {
    case 'name':
      return host === rule.name;
    case 'below':
      return host.endsWith(`.${rule.suffix}`) && host.length > rule.suffix.length + 1;
    case 'net': {
      if (isIP(address) === 0 || isIP(address) !== isIP(rule.address)) return false;
      const family = isIPv4(address) ? 'ipv4' : 'ipv6';
      const net = new BlockList();
      net.addSubnet(rule.address, rule.prefix, family);
      return net.check(address, family);
    }
    case 'path':
      return false;
  }
}

function parseHost(hostText: string, text: string): AllowRule['host'] {
  const slash = hostText.indexOf('/');
  const bare = (slash < 0 ? hostText : hostText.slice(0, slash)).replace(/^\[(.*)\]$/, '$1');
  if (bare.includes(':') && !hostText.startsWith('[')) {
    throw fault('ipv6-brackets', text, 'an IPv6 address stands in brackets');
  }
  if (isIP(bare) !== 0) return parseNet(bare, slash < 0 ? undefined : hostText.slice(slash + 1), text);
  if (slash >= 0 || hostText.startsWith('[')) throw fault('network', text, 'it holds no usable network');

  const name = bare.toLowerCase().replace(/\.$/, '');
  const below = /^\*\.(.+)$/.exec(name)?.[1];
  // A name of digits and dots only is a mistyped address; as a name it would never match.
  if (!/^[^\s/\\@?#:*%"'<>|,;]{1,253}$/.test(below ?? name) || /^[\d.]+$/.test(name)) {
    throw fault('host', text, 'it has no usable host');
  }
  return below === undefined ? { kind: 'name', name } : { kind: 'below', suffix: below };
}

function parseNet(address: string, prefixText: string | undefined, text: string): AllowRule['host'] {
  const bits = isIPv4(address) ? 32 : 128;
  const prefix = prefixText === undefined ? bits : Number(prefixText);
  if (address.includes('%') || (prefixText !== undefined && !/^\d{1,3}$/.test(prefixText)) || prefix > bits) {
    throw fault('network', text, `the prefix of its network is not a number from 0 to ${bits}`);
  }
  const plain = plainAddress(address);
  // `::ffff:10.0.0.0/104` is `10.0.0.0/8`; a wider prefix than the mapping itself stays an IPv6 network.
  if (bits === 128 && isIPv4(plain) && prefix >= 96)
    return { kind: 'net', address: plain, prefix: prefix - 96 };
  return { kind: 'net', address, prefix };
}

function parsePorts(portText: string, text: string): { fromPort: number; toPort: number } {
  if (portText === '*') return { fromPort: 1, toPort: 65_535 };
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(portText);
  const fromPort = Number(match?.[1] ?? 0);
  const toPort = Number(match?.[2] ?? match?.[1] ?? 0);
  if (fromPort < 1 || toPort > 65_535 || fromPort > toPort) {
    throw fault('ports', text, 'its ports are not numbers from 1 to 65535, FROM not above TO');
  }
  return { fromPort, toPort };
}

/** An IPv4 address that is written as IPv6 becomes IPv4 again; a zone (`%eth0`) does not count. */
function plainAddress(address: string): string {
  const bare = address.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');
  if (isIP(bare) !== 6) return bare;
  const canonical = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (mapped === null) return canonical;
  const [high, low] = [parseInt(mapped[1] ?? '', 16), parseInt(mapped[2] ?? '', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function fault(reason: string, text: string, what: string): HcmError {
  const shown = text.replace(/[\u0000-\u001f\u007f]/g, ' ').slice(0, 80);
  return new HcmError('HCM_ALLOW_INVALID', `The rule "${shown}" cannot be used: ${what}.`, {
    details: { reason },
  });
}
