/**
 * Which target a listener forwards to: the one it was told, or the one in the entity's metadata. The metadata is
 * read again at each registration, but without an allow-list the first target that was seen stays the only one
 * permitted: an edit in Azure must not open another host in a private network. So is one that was confirmed beforehand.
 */
import { isIP } from 'node:net';
import { allows, parseAllowRule, type AllowRule } from '../protocol/allow-list.ts';
import type { EntityDescription } from '../protocol/entity-description.ts';
import { HcmError } from '../protocol/errors.ts';
import { formatTargetAddress, type TargetAddress } from '../protocol/target-address.ts';
import type { Target } from '../protocol/target.ts';
import { targetFromUserMetadata } from '../protocol/user-metadata.ts';

export class TargetSource {
  readonly #given: TargetAddress | undefined;
  readonly #allow: readonly AllowRule[] | undefined;
  #fromMetadata: TargetAddress | undefined;
  #firstSeen: AllowRule | undefined;

  /**
   * `confirmed`: the only target that metadata may name; an allow-list counts instead where there is one.
   * Throws HcmError HCM_TARGET_INVALID for a UDP address: raw streams and requests have no datagrams.
   */
  constructor(given: TargetAddress | undefined, allow: readonly AllowRule[] | undefined, confirmed?: Target) {
    if (given?.kind === 'udp') {
      const text = `The target ${formatTargetAddress(given)} takes datagrams: that needs the dialect azbridge`;
      throw new HcmError('HCM_TARGET_INVALID', text, { details: { reason: 'udp' } });
    }
    this.#given = given;
    this.#allow = allow;
    this.#firstSeen = confirmed && parseAllowRule(formatTargetAddress({ kind: 'tcp', ...confirmed }));
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

  /** Why nothing is forwarded to the target that the metadata name; undefined when they name one that may be dialed. */
  get refusal(): HcmError | undefined {
    const named = this.#fromMetadata;
    if (named?.kind !== 'tcp' || this.allow === undefined || mayBeDialed(this.allow, named)) return undefined;
    const name = formatTargetAddress(named);
    const why = this.#allow ? 'the allow-list has no rule for it' : `${this.#firstSeen?.text} was confirmed`;
    return new HcmError('HCM_TARGET_NOT_ALLOWED', `Azure names the target ${name} now; ${why}`, {
      retryable: true,
      details: { target: name },
    });
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

/** A name is not resolved here: where a rule by address may cover it, the dialer decides. */
function mayBeDialed(rules: readonly AllowRule[], { host, port }: Target): boolean {
  if (allows(rules, { host, address: host, port })) return true;
  const isName = isIP(host) === 0;
  return (
    isName && rules.some((rule) => rule.host.kind === 'net' && port >= rule.fromPort && port <= rule.toPort)
  );
}
