/**
 * A key for the emulator's token endpoint, made once for all tests of a process: making one takes some tenths of a second.
 * Put it into the state: `emulator.state.signingKey = await signingKey()`.
 */
import type { SigningKeyState } from '../../src/emulator/entra-state.ts';
import { createSigningKey } from '../../src/emulator/entra/issuer.ts';

let made: Promise<SigningKeyState> | undefined;

export function signingKey(): Promise<SigningKeyState> {
  return (made ??= createSigningKey());
}
