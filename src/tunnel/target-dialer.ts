/**
 * Connects to the target on the private side. The allow-list is checked on the very addresses that are dialed: a
 * name that resolves elsewhere tomorrow opens nothing.
 */
import { lookup, type LookupAddress } from 'node:dns';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { allows, allowsPath, type AllowRule } from '../protocol/allow-list.ts';
import { HcmError, type ErrorCode } from '../protocol/errors.ts';
import { formatTargetAddress, type TargetAddress } from '../protocol/target-address.ts';
import { formatTarget, UNIX_PATH_MAX_BYTES, type Target } from '../protocol/target.ts';
import { sleep, type Clock } from './clock.ts';
import { isResolutionCode, nodeCode, withDeadline } from './network-errors.ts';
import type { CancelSignal } from '../websocket/cancel-signal.ts';

/** Well under the 30 s that a rendezvous address lives. */
export const DIAL_TIMEOUT_MS = 10_000;
/** Node tries the addresses of a name in turn; each gets its share of the limit, but not less than this. */
const ATTEMPT_LEAST_MS = 1_000;
const ADDRESSES_EXPECTED = 4;
/** Between two attempts at a Unix socket whose queue is full. TCP waits for a place by itself; connect(2) does not. */
const QUEUE_RETRY_MS = 20;

export interface TargetDialOptions {
  clock: Clock;
  /** Undefined: any target. */
  allow?: readonly AllowRule[] | undefined;
  /** Name resolution and TCP together, in ms. */
  timeoutMs?: number | undefined;
  signal?: CancelSignal | undefined;
}

/** What a stream of bytes can be made to. */
export type StreamAddress = Extract<TargetAddress, { kind: 'tcp' | 'unix' }>;

/**
 * Resolves with a connected socket that allows half-open use and is not read from yet. Rejects with HcmError:
 * HCM_TARGET_UNRESOLVED, _REFUSED, _TIMEOUT, _UNREACHABLE, _NOT_ALLOWED; with the signal's reason when it fires.
 */
export function dialAddress(address: StreamAddress, options: TargetDialOptions): Promise<Socket> {
  const name = formatTargetAddress(address);
  const { clock, allow, signal, timeoutMs: limitMs = DIAL_TIMEOUT_MS } = options;
  const late = () =>
    targetError('HCM_TARGET_TIMEOUT', name, `${name} did not answer within ${limitMs / 1000} s`);
  return withDeadline({ clock, limitMs, late, signal }, (inner) => {
    return address.kind === 'tcp'
      ? connectTo(address, allow, limitMs, inner)
      : connectToPath(address.path, allow, clock, inner);
  });
}

/** `dialAddress` to a target by TCP. */
export function dialTarget(target: Target, options: TargetDialOptions): Promise<Socket> {
  return dialAddress({ kind: 'tcp', ...target }, options);
}

/** The addresses of a target that may be dialed, the system's first choice first. Rejects as `dialAddress` does. */
export function resolveTarget(
  target: Target,
  allow: readonly AllowRule[] | undefined,
): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, addresses: LookupAddress[]) =>
      error ? reject(dialError(error, target)) : resolve(addresses);
    allowedLookup(target, allow)(target.host, { all: true }, done as Parameters<LookupFunction>[2]);
  });
}

async function connectTo(
  target: Target,
  allow: readonly AllowRule[] | undefined,
  limitMs: number,
  signal: CancelSignal,
): Promise<Socket> {
  const { host, port } = target;
  if (isIP(host) !== 0 && !isAllowed(allow, target, host)) throw notAllowed(target, host);
  const dial = () =>
    connect({
      host,
      port,
      lookup: allowedLookup(target, allow),
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: Math.max(ATTEMPT_LEAST_MS, Math.floor(limitMs / ADDRESSES_EXPECTED)),
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
    });
  return connected(dial, (error) => dialError(error, target), signal);
}

async function connectToPath(
  path: string,
  allow: readonly AllowRule[] | undefined,
  clock: Clock,
  signal: CancelSignal,
): Promise<Socket> {
  const name = `unix:${path}`;
  if (allow && !allowsPath(allow, path))
    throw targetError('HCM_TARGET_NOT_ALLOWED', name, `${name} is not on the allow-list`);
  const bytes = Buffer.byteLength(path);
  if (bytes > UNIX_PATH_MAX_BYTES && !path.startsWith('\\\\')) {
    const text = `${name} has ${bytes} bytes in its path, and ${UNIX_PATH_MAX_BYTES} are possible`;
    throw targetError('HCM_TARGET_UNREACHABLE', name, text);
  }
  const dial = () => connect({ path, allowHalfOpen: true });
  for (;;) {
    try {
      return await connected(dial, (error) => pathError(error, name), signal);
    } catch (error) {
      if (!(error instanceof HcmError && nodeCode(error.cause as Error) === 'EAGAIN')) throw error;
    }
    await sleep(clock, QUEUE_RETRY_MS, signal);
  }
}

function connected(
  dial: () => Socket,
  errorOf: (error: Error) => Error,
  signal: CancelSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = dial();
    const fail = (error: Error) => {
      signal.removeEventListener('abort', onAbort);
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onAbort = () => fail(signal.reason);
    const onError = (error: Error) => fail(errorOf(error));
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
  const name = formatTarget(target);
  return targetError('HCM_TARGET_NOT_ALLOWED', name, `${name}${at} is not on the allow-list`);
}

/** The error of a target that could not be dialed. */
export function dialError(error: Error, target: Target): HcmError {
  if (error instanceof HcmError) return error;
  const name = formatTarget(target);
  const seen = nodeCode(error);
  if (isResolutionCode(seen)) {
    const text = `${target.host} could not be resolved (${seen})`;
    return targetError('HCM_TARGET_UNRESOLVED', name, text, error);
  }
  if (seen === 'ETIMEDOUT') return targetError('HCM_TARGET_TIMEOUT', name, `${name} did not answer`, error);
  return refusedOrUnreachable(error, name, seen || error.message);
}

function pathError(error: Error, name: string): HcmError {
  const seen = nodeCode(error);
  const words: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EACCES: 'this user has no rights to it',
    EAGAIN: 'its queue is full',
  };
  return refusedOrUnreachable(error, name, words[seen] ?? (seen || error.message));
}

function refusedOrUnreachable(error: Error, name: string, what: string): HcmError {
  if (nodeCode(error) === 'ECONNREFUSED')
    return targetError('HCM_TARGET_REFUSED', name, `${name} refused the connection`, error);
  return targetError('HCM_TARGET_UNREACHABLE', name, `${name} could not be reached (${what})`, error);
}

function targetError(code: ErrorCode, target: string, text: string, cause?: Error): HcmError {
  return new HcmError(code, text, { retryable: true, details: { target }, ...(cause ? { cause } : {}) });
}
