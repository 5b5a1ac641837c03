/** Misbehaviour of Resource Manager on purpose: what its clients meet on bad days. */

export interface ArmFaultSettings {
  /** Namespaces take so long, in ms, to be created, instead of `behaviour.provisioningMs`. */
  creationMs?: number | undefined;
  /** So many of the next attachments to apps fail with App Service's exclusive-lock 429. */
  exclusiveLocks?: number | undefined;
  refusals?: readonly ArmRefusal[] | undefined;
}

export interface ArmRefusal {
  readonly status: number;
  /** Default: what ARM says with this status. */
  readonly code?: string;
  readonly message?: string;
  /** How many requests; default all until it is taken back. */
  readonly times?: number;
  /** Only requests with this method, and whose path (without query) fits. */
  readonly method?: string;
  readonly path?: RegExp;
  /** The header, in seconds; without it there is none. */
  readonly retryAfterS?: number;
  /** Body as it is sent, instead of JSON: proxies answer with HTML. */
  readonly html?: string;
}

export class ArmFaults {
  creationMs: number | undefined;
  exclusiveLocks: number;
  readonly #refusals: { refusal: ArmRefusal; left: number }[] = [];

  constructor({ creationMs, exclusiveLocks = 0, refusals = [] }: ArmFaultSettings = {}) {
    this.creationMs = creationMs;
    this.exclusiveLocks = exclusiveLocks;
    for (const refusal of refusals) this.refuse(refusal);
  }

  /** Answers requests whose token is good with an error instead of serving them. Returns how to take it back. */
  refuse(refusal: ArmRefusal): () => void {
    const entry = { refusal, left: refusal.times ?? Infinity };
    this.#refusals.push(entry);
    return () => (entry.left = 0);
  }

  /** Too many requests: 429, with Retry-After if `retryAfterS` says so. */
  throttle(options: Omit<ArmRefusal, 'status'> = {}): () => void {
    return this.refuse({ status: 429, ...options });
  }

  clear(): void {
    this.creationMs = undefined;
    this.exclusiveLocks = 0;
    this.#refusals.length = 0;
  }

  /** For ARM: the refusal that hits this request, which is counted. */
  takeRefusal(method: string, path: string): ArmRefusal | undefined {
    const entry = this.#refusals.find(
      ({ refusal, left }) =>
        left > 0 &&
        (refusal.method === undefined || refusal.method.toUpperCase() === method) &&
        (refusal.path === undefined || refusal.path.test(path)),
    );
    if (entry === undefined) return undefined;
    entry.left -= 1;
    return entry.refusal;
  }

  /** For App Service: true when this attachment is to fail, which is counted. */
  takeExclusiveLock(): boolean {
    if (this.exclusiveLocks <= 0) return false;
    this.exclusiveLocks -= 1;
    return true;
  }
}
