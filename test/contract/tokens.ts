/** Tokens made by hand, as the producers in the field make them: a second opinion beside protocol/sas-token.ts. */
import { createHmac } from 'node:crypto';
import type { Key } from './relay-under-test.ts';

export interface TokenOptions {
  /** Default: one hour from now. */
  expiresAtMs?: number;
  /** How `sr` is escaped. Default encodeURIComponent. */
  escape?: (resource: string) => string;
  /** Text before the token. */
  prefix?: string;
}

const HOUR_MS = 3_600_000;

export function token(resource: string, key: Key, options: TokenOptions = {}): string {
  const { expiresAtMs = Date.now() + HOUR_MS, escape = encodeURIComponent, prefix = '' } = options;
  const [sr, se] = [escape(resource), String(Math.floor(expiresAtMs / 1000))];
  const sig = createHmac('sha256', key.key).update(`${sr}\n${se}`).digest('base64');
  return `${prefix}SharedAccessSignature sr=${sr}&sig=${encodeURIComponent(sig)}&se=${se}&skn=${key.name}`;
}
