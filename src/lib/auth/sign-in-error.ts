/** What a failed sign-in means: sign in again, or something is wrong with what was given. */
import { HcmError } from '../../protocol/errors.ts';
import type { AuthMethod } from './account.ts';
import type { Cloud } from './cloud.ts';

export interface SignInAttempt {
  cloud: Cloud;
  method: AuthMethod;
  tenantId?: string | undefined;
  clientId?: string | undefined;
  /** Why the last request did not get through, if it did not. */
  failure?: HcmError | undefined;
  /** What Azure asked for on top. */
  claims?: string | undefined;
}

export function toSignInError(error: unknown, attempt: SignInAttempt): Error {
  if (error instanceof HcmError) return error;
  if (error instanceof Error && error.name === 'AbortError') return error;
  if (attempt.failure !== undefined) return attempt.failure;
  const message = error instanceof Error ? error.message : String(error);
  return new HcmError('HCM_SIGN_IN_FAILED', `Signing in to ${attempt.cloud.name} failed: ${message}`, {
    cause: error,
  });
}
