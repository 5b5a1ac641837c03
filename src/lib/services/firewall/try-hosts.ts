/** Tries hosts that a firewall is to let out: TCP and TLS, on the way that a tunnel takes, a few at a time. */
import type { Socket } from 'node:net';
import type { HcmError } from '../../../protocol/errors.ts';
import type { Clock } from '../../../tunnel/clock.ts';
import { asHcmError } from '../../../tunnel/emitter.ts';
import { mapAtMost } from '../parallel.ts';
import type { AllowedHost } from './firewall-list.ts';

/** A firewall that drops packets costs a whole time limit for each host: 128 of them in 8 turns. */
const TRIED_AT_A_TIME = 16;

export type Trial =
  | { readonly result: 'ok'; readonly ms: number }
  | { readonly result: 'failed'; readonly ms: number; readonly error: HcmError }
  /** The name does not resolve yet. */
  | { readonly result: 'future' }
  /** A range of ports, of which nobody knows the one in use. */
  | { readonly result: 'untried' };

export interface TriedHost extends AllowedHost {
  readonly trial: Trial;
}

export interface TrialOptions {
  /** Resolves with a connected socket, TLS included; rejects with HcmError. */
  readonly dial: (host: string, port: number, signal: AbortSignal) => Promise<Socket>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  onTried?(done: number): void;
}

/** Rejects with the signal's reason alone. */
export async function tryHosts(hosts: readonly AllowedHost[], options: TrialOptions): Promise<TriedHost[]> {
  let done = 0;
  return mapAtMost(TRIED_AT_A_TIME, hosts, async (host) => {
    const trial = await tryHost(host, options);
    options.onTried?.((done += 1));
    return { ...host, trial };
  });
}

async function tryHost({ host, port, exists }: AllowedHost, options: TrialOptions): Promise<Trial> {
  const { dial, clock, signal } = options;
  signal.throwIfAborted();
  if (exists === false) return { result: 'future' };
  if (!/^\d+$/.test(port)) return { result: 'untried' };
  const beganMs = clock.monotonicMs();
  const spent = () => Math.round(clock.monotonicMs() - beganMs);
  try {
    (await dial(host, Number(port), signal)).destroy();
    return { result: 'ok', ms: spent() };
  } catch (error) {
    if (signal.aborted) throw error;
    return { result: 'failed', ms: spent(), error: asHcmError(error) };
  }
}
