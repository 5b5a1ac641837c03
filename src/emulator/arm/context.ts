/** What the providers of the local Resource Manager work with. One per emulator. */
import type { EmulatorEventBody } from '../events.ts';
import type { Faults } from '../faults.ts';
import type { Behaviour } from '../options.ts';
import type { ConnectionState, EmulatorState } from '../state.ts';
import type { ArmProvider } from './router.ts';

/** What ARM knows of and does to the relay. */
export interface RelayControl {
  /** Listeners that are registered now. */
  listenerCount(connection: ConnectionState): number;
  /** Ends listeners and streams of a connection that was taken out of the state. */
  end(connection: ConnectionState): void;
}

export interface ArmContext {
  /** The live document: change its objects, do not replace them, and call `changed`. */
  readonly state: EmulatorState;
  readonly behaviour: Behaviour;
  readonly faults: Faults;
  readonly relay: RelayControl;
  /** The port that the emulator listens on. */
  readonly port: () => number;
  /** ms since 1970. */
  readonly nowMs: () => number;
  /** The state was changed: it is to be saved, and others are to be told. */
  readonly changed: () => void;
  readonly emit: (event: EmulatorEventBody) => void;
}

export type ProviderFactory = (context: ArmContext) => ArmProvider;
