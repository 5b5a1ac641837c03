/**
 * Which target a listener forwards to: the one it was told, or the one in the entity's metadata. The metadata is
 * read again at each registration, but without an allow-list the first target that was seen stays the only one
 * permitted: an edit in Azure must not open another host in a private network.
 */
import type { AllowRule } from '../protocol/allow-list.ts';
import { parseAllowRule } from '../protocol/allow-list.ts';
import type { EntityDescription } from '../protocol/entity-description.ts';
import { HcmError } from '../protocol/errors.ts';
import { formatTargetAddress, type TargetAddress } from '../protocol/target-address.ts';
import { targetFromUserMetadata } from '../protocol/user-metadata.ts';

export class TargetSource {
  readonly #given: TargetAddress | undefined;
  readonly #allow: readonly AllowRule[] | undefined;
  #fromMetadata: TargetAddress | undefined;
  #firstSeen: AllowRule | undefined;

  /** Throws HcmError HCM_TARGET_INVALID for a UDP address: raw streams and requests have no datagrams. */
  constructor(given: TargetAddress | undefined, allow: readonly AllowRule[] | undefined) {
    if (given?.kind === 'udp') {
      const text = `The target ${formatTargetAddress(given)} takes datagrams: that needs the dialect azbridge`;
      throw new HcmError('HCM_TARGET_INVALID', text, { details: { reason: 'udp' } });
    }
    this.#given = given;
    this.#allow = allow;
  }

  /** True: `learn` must be called before `address`. */
  get needsMetadata(): boolean {
    return this.#given === undefined;
  }

  /** The target for the next stream; undefined before the metadata was read. */
  get address(): TargetAddress | undefined {
    return this.#given ?? this.#fromMetadata;
  }

  /** What the target dialer checks each address against; undefined: the target was given on this machine. */
  get allow(): readonly AllowRule[] | undefined {
    return this.#allow ?? (this.#firstSeen && [this.#firstSeen]);
  }

  /** Takes the target from the entity's description. Throws HcmError HCM_TARGET_MISSING or HCM_TARGET_INVALID. */
  learn(description: EntityDescription, connection: string): void {
    const target = targetFromUserMetadata(description.userMetadata);
    if (!target) {
      const text = `${connection} names no target in its metadata`;
      throw new HcmError('HCM_TARGET_MISSING', text, { details: { connection } });
    }
    this.#fromMetadata = { kind: 'tcp', ...target };
    this.#firstSeen ??= parseAllowRule(formatTargetAddress(this.#fromMetadata));
  }
}
