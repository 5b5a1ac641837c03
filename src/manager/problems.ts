/**
 * What keeps traffic of a running tunnel from its targets: by target, so that a stream to one does not mend another.
 */
import type { ErrorCode } from '../protocol/errors.ts';
import type { Reason } from './connection-record.ts';

/** Beside the targets themselves, whose texts hold no space. */
const NAMED_BY_AZURE = ' azure';
const AT_THE_LIMIT = ' limit';
const ON_THE_WAY = ' way';

/** The target itself does not answer. */
const DOWN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'HCM_TARGET_REFUSED',
  'HCM_TARGET_UNRESOLVED',
  'HCM_TARGET_TIMEOUT',
  'HCM_TARGET_UNREACHABLE',
]);
/** One client gave up; this says nothing about the next. */
const OF_ONE_STREAM: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['HCM_ABORTED', 'HCM_RENDEZVOUS_EXPIRED']);
/** A listener turned away what a sender asked for wrongly: its targets have nothing to do with it. */
const OF_THE_SENDER: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'HCM_LOGICAL_PORT_UNKNOWN',
  'HCM_LOGICAL_PORT_MODE',
  'HCM_DIALECT_MISMATCH',
  'HCM_HTTP_UNSERVED',
  'HCM_REQUEST_INVALID',
]);

export function isTargetDown(code: ErrorCode): boolean {
  return DOWN.has(code);
}

export class Problems {
  /** Newest last. */
  readonly #reasons = new Map<string, Reason>();

  /** The one to show. */
  get first(): Reason | undefined {
    return this.#reasons.get(NAMED_BY_AZURE) ?? [...this.#reasons.values()].at(-1);
  }

  /** Targets that did not answer the last time. */
  get downTargets(): string[] {
    return [...this.#reasons].flatMap(([key, { code }]) =>
      isTargetDown(code) && !key.startsWith(' ') ? [key] : [],
    );
  }

  /** A listener turned a stream away. */
  rejected(reason: Reason, target: string | undefined): void {
    const { code } = reason;
    if (OF_ONE_STREAM.has(code) || OF_THE_SENDER.has(code)) return;
    if (code === 'HCM_LISTENER_BUSY') this.#set(AT_THE_LIMIT, reason);
    else this.#set((code.startsWith('HCM_TARGET_') ? target : undefined) ?? ON_THE_WAY, reason);
  }

  /** A forward's stream was refused; its other end has the target. */
  refused(reason: Reason): void {
    if (!OF_ONE_STREAM.has(reason.code)) this.#set(ON_THE_WAY, reason);
  }

  /** A relayed request got no answer from its target. */
  unanswered(reason: Reason, target: string | undefined): void {
    const { code } = reason;
    if (isTargetDown(code) || code === 'HCM_TARGET_NOT_ALLOWED') this.rejected(reason, target);
  }

  /** A stream found its way; `target`: of a listener. */
  passed(target: string | undefined): void {
    this.#reasons.delete(AT_THE_LIMIT);
    this.#reasons.delete(ON_THE_WAY);
    if (target !== undefined) this.#reasons.delete(target);
  }

  /** A stream is over: there is room for another. */
  roomMade(): void {
    this.#reasons.delete(AT_THE_LIMIT);
  }

  /** Registered or bound anew: a target that was down still is. `refusal`: why nothing is forwarded to it. */
  begin(refusal: Reason | undefined): void {
    this.passed(undefined);
    this.#reasons.delete(NAMED_BY_AZURE);
    if (refusal) this.#reasons.set(NAMED_BY_AZURE, refusal);
  }

  /** It leads elsewhere now. */
  forgetTargets(): void {
    this.#reasons.clear();
  }

  #set(key: string, reason: Reason): void {
    this.#reasons.delete(key);
    this.#reasons.set(key, reason);
  }
}
