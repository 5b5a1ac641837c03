/** The token endpoint of the made-up tenant, on the emulator's port. */
import type { AzurePart } from '../server/azure-door.ts';
import type { DirectoryState } from '../entra-state.ts';

export interface EntraContext {
  readonly state: DirectoryState;
  nowMs(): number;
  changed(): void;
}

export function createEntraHandler(_context: EntraContext): AzurePart {
  return () => false;
}
