/** Where the keys of what the manager runs lie, and where a new one would go. Never what they are. */
import { dirname } from 'node:path';
import type { KeyPlace, KeysView } from './control/operations.ts';
import { accessOf } from './specs.ts';
import type { ConnectionStore, SecretChoice } from './store.ts';
import type { ConnectionSpec } from './tunnel.ts';

/** How it was said where keys of `hcm add` go. */
export interface KeyPolicy {
  readonly choice: SecretChoice;
  /** With `auto`: why it is the file, where that is known before any keychain was asked. */
  readonly because?: string | undefined;
  /** The folder in which systemd hands over what a unit loads (systemd.exec(5), LoadCredential=). */
  readonly credentialsFolder?: string | undefined;
}

export function keysView(
  specs: readonly ConnectionSpec[],
  store: Pick<ConnectionStore, 'secretPlace' | 'keeper'>,
  { choice, because, credentialsFolder }: KeyPolicy,
): KeysView {
  const held: Partial<Record<KeyPlace, number>> = {};
  for (const spec of specs) {
    const place = placeOf(spec, store, credentialsFolder);
    if (place !== undefined) held[place] = (held[place] ?? 0) + 1;
  }
  const reason = because ?? store.keeper.noKeychain?.message;
  return {
    choice,
    added: store.keeper.wantedPlaces[0],
    ...(choice === 'auto' && reason !== undefined ? { because: reason } : {}),
    held,
  };
}

/** Undefined: there is no key, or Azure gives it at each start of a connection. */
function placeOf(
  spec: ConnectionSpec,
  store: Pick<ConnectionStore, 'secretPlace'>,
  credentialsFolder: string | undefined,
): KeyPlace | undefined {
  if (spec.source === 'store') return store.secretPlace(spec);
  const access = accessOf(spec);
  if (access.kind === 'variable') return 'variable';
  if (access.kind !== 'file') return undefined;
  return dirname(access.path) === credentialsFolder ? 'credential' : 'key-file';
}
