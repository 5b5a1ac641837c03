/**
 * Which hosts a local port answers for. A web page may give its own name the address 127.0.0.1 and then ask us as its
 * own server (DNS rebinding); the `Host` that the browser sends tells, because a page cannot choose it.
 */
import type { IncomingMessage } from 'node:http';
import { isLoopbackName, normalizeHost } from '../../protocol/relay-hosts.ts';
import type { Bind } from '../../protocol/target.ts';
import { headerValues } from '../../websocket/http-head.ts';

/** Names and addresses; nothing that would make a URL of it. */
const NAME = /^[0-9a-z._:-]+$/i;

/**
 * The host that the request may not ask for; undefined when it may. Where other machines are let in, or where no page can
 * come from (a Unix socket), every host will do. A request without a host is not a browser's.
 */
export function foreignHost(
  bind: Bind,
  { rawHeaders, url = '' }: Pick<IncomingMessage, 'rawHeaders' | 'url'>,
): string | undefined {
  if (bind.kind !== 'tcp' || !isLoopbackName(bind.host)) return undefined;
  const inUrl = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1];
  const asked = [...headerValues(rawHeaders, 'Host'), ...(inUrl === undefined ? [] : [inUrl])];
  return asked.find((authority) => {
    const name = normalizeHost(authority.replace(/:\d*$/, ''));
    return !NAME.test(name) || (!isLoopbackName(name) && name !== normalizeHost(bind.host));
  });
}
