/** Names that the wizard proposes: made of what is known, allowed by Azure, and free as far as the caller knows. Pure. */
import { isIP } from 'node:net';
import { formatTarget, type Target } from '../../../protocol/target.ts';
import type { ConnectionView } from '../connection-view.ts';
import { sameTarget } from '../connection-view.ts';

/** Of the 50 of a namespace: room is left for an ending that makes it unique. */
const STEM_MAX_CHARS = 36;
const LOOPBACK = /^(?:localhost|127\.|::1$)/;

/**
 * `db-5432` for `db.corp.local:5432`, `10-0-0-5-22` for an address. The connection that has this target already, when
 * there is one; else a name that none of the others has.
 */
export function proposeConnection(target: Target, others: readonly ConnectionView[]): string {
  const same = others.find((one) => sameTarget(one.target, formatTarget(target)));
  if (same !== undefined) return same.name;
  const taken = new Set(others.map(({ name }) => name.toLowerCase()));
  const stem = `${hostWord(target.host)}-${target.port}`;
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? stem : `${stem}-${number}`;
    if (!taken.has(name)) return name;
  }
}

/** `my-app-relay`, `db-relay`: after what it is for. With `ending`, another one: `my-app-relay-3f2a`. */
export function proposeNamespace(about: string, ending?: string): string {
  const word = plainWord(about)
    .replace(/^[^a-z]+/, '')
    .slice(0, STEM_MAX_CHARS)
    .replace(/-+$/, '');
  const stem =
    word === '' ? 'hcm-relay' : /(?:^|-)relay$/.test(word) && word.length >= 6 ? word : `${word}-relay`;
  return ending === undefined ? stem : `${stem}-${ending}`;
}

/** What a namespace for this target is named after, where there is no app. */
export function hostWord(host: string): string {
  if (LOOPBACK.test(host)) return 'local';
  return plainWord(isIP(host) === 0 ? (host.split('.', 1)[0] ?? '') : host) || 'target';
}

function plainWord(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^0-9a-z]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
