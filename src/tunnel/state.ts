/** The public state of a listener. Waiting says when it tries again and why. */
import type { HcmError } from '../protocol/errors.ts';

export type ListenerState =
  | { name: 'idle' }
  | { name: 'connecting' }
  | { name: 'online'; sinceMs: number }
  | { name: 'waiting'; retryAtMs: number; error: HcmError }
  | { name: 'failed'; error: HcmError }
  | { name: 'stopped' };
