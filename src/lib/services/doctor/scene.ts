/** What a diagnosis is about, and all that it uses of the world outside. */
import type { AllowRule } from '../../../protocol/allow-list.ts';
import type { TargetAddress } from '../../../protocol/target-address.ts';
import type { Clock } from '../../../tunnel/clock.ts';
import type { Connection, NetworkOptions } from '../../../tunnel/options.ts';
import type { Dns } from '../firewall/dns.ts';

/** Where this machine stands: beside the target, or beside the program that wants to reach it. */
export type Side = 'listener' | 'sender';

/** What the program knows of itself and of the machine. */
export interface Machine {
  readonly nodeVersion: string;
  readonly hcmVersion: string;
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stateDirectory: string;
}

/** Where a choice of proxy came from. */
export interface ProxySetting {
  /** `--proxy`, or the variable that set it; undefined: the usual variables decide for each host. */
  readonly source: '--proxy' | 'HCM_PROXY' | undefined;
}

/** Dialect azbridge: a name that both ends know, and on the listener's side where it leads. */
export interface LogicalPort {
  readonly name: string;
  readonly target?: TargetAddress | undefined;
}

export interface Scene {
  readonly machine: Machine;
  readonly proxySetting: ProxySetting;
  readonly network: NetworkOptions;
  readonly clock: Clock;
  readonly dns: Dns;
  /**
   * The same entity, by one credential or by several (one that may listen, one that may send). None: only the machine
   * is looked at.
   */
  readonly connections: readonly Connection[];
  readonly side: Side | undefined;
  /** In place of the one in the metadata. */
  readonly target: TargetAddress | undefined;
  /** What a listener may dial; undefined: anything. Nothing else is dialed here either. */
  readonly allow?: readonly AllowRule[] | undefined;
  /** Of a tunnel that speaks azbridge; then the metadata has no part in it. */
  readonly ports?: readonly LogicalPort[] | undefined;
  /** Ends everything at once. */
  readonly signal: AbortSignal;
}
