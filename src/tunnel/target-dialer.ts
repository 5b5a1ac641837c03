/**
 * Connects to the target on the private side. The allow-list is checked on the very addresses that are dialed: a
 * name that resolves elsewhere tomorrow opens nothing.
 */
import { lookup } from 'node:dns';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { allows, type AllowRule } from '../protocol/allow-list.ts';
import { HcmError } from '../protocol/errors.ts';
import { formatTarget, type Target } from '../protocol/target.ts';
import type { Clock } from './clock.ts';
import { isResolutionCode, nodeCode, withDeadline } from './network-errors.ts';

/** Well under the 30 s that a rendezvous address lives. */
export const DIAL_TIMEOUT_MS = 10_000;
/** Node tries the addresses of a name in turn; each gets its share of the limit, but not less than this. */
const ATTEMPT_LEAST_MS = 1_000;
const ADDRESSES_EXPECTED = 4;

export interface TargetDialOptions {
  clock: Clock;
  /** Undefined: any target. */
  allow?: readonly AllowRule[] | undefined;
  /** Name resolution and TCP together, in ms. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Resolves with a connected socket that allows half-open use and is not read from yet. Rejects with HcmError:
 * HCM_TARGET_UNRESOLVED, _REFUSED, _TIMEOUT, _UNREACHABLE, _NOT_ALLOWED; with the signal's reason when it fires.
 */
export function dialTarget(target: Target, options: TargetDialOptions): Promise<Socket> {
  const limitMs = options.timeoutMs ?? DIAL_TIMEOUT_MS;
  const late = () =>
    targetError(
      'HCM_TARGET_TIMEOUT',
      target,
      `${formatTarget(target)} did not answer within ${limitMs / 1000} s`,
    );
  return withDeadline({ clock: options.clock, limitMs, late, signal: options.signal }, (signal) => {
    return connectTo(target, options.allow, limitMs, signal);
  });
}

function connectTo(
  target: Target,
  allow: readonly AllowRule[] | undefined,
  limitMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { host, port } = target;
    if (isIP(host) !== 0 && !isAllowed(allow, target, host)) return reject(notAllowed(target, host));
    const socket = connect({
      host,
      port,
      lookup: allowedLookup(target, allow),
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: Math.max(ATTEMPT_LEAST_MS, Math.floor(limitMs / ADDRESSES_EXPECTED)),
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
    });
    const fail = (error: Error) => {
      signal.removeEventListener('abort', onAbort);
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onAbort = () => fail(signal.reason as Error);
    const onError = (error: Error) => fail(dialError(error, target));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError).once('connect', () => {
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError).pause();
      resolve(socket);
    });
  });
}

/** Resolves as the system does and keeps the addresses that the allow-list permits. */
function allowedLookup(target: Target, allow: readonly AllowRule[] | undefined): LookupFunction {
  return (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, '', 0);
      const allowed = addresses.filter(({ address }) => isAllowed(allow, target, address));
      const [first] = allowed;
      if (!first) return done(notAllowed(target, addresses.map(({ address }) => address).join(', ')), '', 0);
      if (options.all) (done as (error: null, addresses: typeof allowed) => void)(null, allowed);
      else done(null, first.address, first.family);
    });
  };
}

function isAllowed(
  allow: readonly AllowRule[] | undefined,
  { host, port }: Target,
  address: string,
): boolean {
  return allow === undefined || allows(allow, { host, address, port });
}

function notAllowed(target: Target, addresses: string): HcmError {
  const at = addresses === target.host ? '' : ` (${addresses})`;
  return targetError(
    'HCM_TARGET_NOT_ALLOWED',
    target,
    `${formatTarget(target)}${at} is not on the allow-list`,
  );
}

function dialError(error: Error, target: Target): HcmError {
  if (error instanceof HcmError) return error;
  const seen = nodeCode(error);
  const name = formatTarget(target);
  if (seen === 'ECONNREFUSED')
    return targetError('HCM_TARGET_REFUSED', target, `${name} refused the connection`, error);
  if (isResolutionCode(seen)) {
    return targetError(
      'HCM_TARGET_UNRESOLVED',
      target,
      `${target.host} could not be resolved (${seen})`,
      error,
    );
  }
  if (seen === 'ETIMEDOUT') return targetError('HCM_TARGET_TIMEOUT', target, `${name} did not answer`, error);
  return targetError(
    'HCM_TARGET_UNREACHABLE',
    target,
    `${name} could not be reached (${seen || error.message})`,
    error,
  );
}

function targetError(
  code: ConstructorParameters<typeof HcmError>[0],
  target: Target,
  text: string,
  cause?: Error,
): HcmError {
  const details = { target: formatTarget(target) };
  return new HcmError(code, text, { retryable: true, details, ...(cause ? { cause } : {}) });
}
