/** What the token endpoint works with, and what can be changed about it. One per emulator. */
import type { EntraFaults } from '../entra-faults.ts';
import type { DirectoryState } from '../entra-state.ts';

/** How signing in behaves. */
export interface SignInBehaviour {
  /** Life of an access token, in ms. */
  accessTokenLifetimeMs: number;
  /**
   * Who approves a device code: `auto`, after the client has asked once, or a person at the page that the answer names.
   */
  deviceCodeApproval: 'auto' | 'page';
  /** How often a client is told to ask, in seconds. Azure says 5. */
  deviceCodeIntervalS: number;
  /** True: a page with a button comes before the redirect of an interactive sign-in. */
  signInPage: boolean;
}

export const DEFAULT_SIGN_IN: SignInBehaviour = {
  // As Azure, which chooses between 60 and 90 minutes.
  accessTokenLifetimeMs: 3_600_000,
  deviceCodeApproval: 'auto',
  deviceCodeIntervalS: 1,
  signInPage: false,
};

export interface EntraContext {
  readonly state: DirectoryState;
  readonly behaviour: SignInBehaviour;
  readonly faults: { readonly entra: EntraFaults };
  /** The issuer's clock: without the faults that move the verifiers'. */
  nowMs(): number;
  /** To be called after a change of the state. */
  changed(): void;
}
