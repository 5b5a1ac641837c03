/** One proof of a diagnosis, and what all of them share. */
import type { Finding, ProofId } from './report.ts';
import type { Rights } from './rights.ts';
import type { Scene } from './scene.ts';
import type { Way } from './way.ts';

/** A diagnosis under way. What is expensive is found out at its first use, once. */
export interface Case {
  readonly scene: Scene;
  readonly way: Way;
  readonly rights: () => Promise<Rights>;
}

export interface Proof {
  readonly id: ProofId;
  readonly title: string;
  /** What is being done, for a progress line. */
  readonly doing: string;
  /** Proofs that must not have failed. */
  readonly needs: readonly ProofId[];
  /** May reject with an HcmError: then the proof has failed. */
  prove(given: Case): Promise<Finding>;
}
