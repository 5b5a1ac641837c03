/**
 * Asks a target whether it is there, the way a stream or a request would reach it: the same dialer, allow-list and CAs.
 * Decides nothing.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { HealthCheck } from '../lib/config/hcm-yaml/manager-declaration.ts';
import type { AllowRule } from '../protocol/allow-list.ts';
import { HcmError } from '../protocol/errors.ts';
import {
  formatTargetAddress,
  hostHeaderOf,
  type HttpTargetAddress,
  type TargetAddress,
} from '../protocol/target-address.ts';
import type { Clock } from '../tunnel/clock.ts';
import { TargetAgent, type AgentRequest } from '../tunnel/http/target-agent.ts';
import { nodeCode, withDeadline, type CancelSignal } from '../tunnel/network-errors.ts';
import { dialAddress } from '../tunnel/target-dialer.ts';

/** An attempt that takes longer is a failure: nobody waits that long for a target of his own network. */
const PROBE_TIMEOUT_MS = 5_000;
/** From here on the server says itself that it cannot (RFC 9110, 15.6). */
const SERVER_ERRORS = 500;

export interface TargetProbeOptions {
  check: HealthCheck;
  clock: Clock;
  allow?: readonly AllowRule[] | undefined;
  /** Private CAs (PEM) for https. */
  ca?: readonly string[] | undefined;
  /** As requests have it. */
  hostHeader?: string | undefined;
  proxyProtocol?: 'v2' | undefined;
  /** True: any answer will do, a server error as well. */
  anyStatus?: boolean | undefined;
  signal: CancelSignal;
}

/** Resolves when it is there; rejects with why it is not, within 5 s. A UDP target cannot be asked: it counts as there. */
export async function probeTarget(address: TargetAddress, options: TargetProbeOptions): Promise<void> {
  const { check, clock, allow, signal } = options;
  if (address.kind === 'udp') return;
  if (check.kind === 'http' && address.kind !== 'unix') return probeHttp(httpAddressOf(address), options);
  const plain = address.kind === 'http' ? { ...address, kind: 'tcp' as const } : address;
  const socket = await dialAddress(plain, { clock, allow, signal, timeoutMs: PROBE_TIMEOUT_MS });
  socket.on('error', () => undefined);
  socket.destroy();
}

/** What speaks HTTP behind HOST:PORT is asked without TLS. */
function httpAddressOf(address: Extract<TargetAddress, { kind: 'tcp' | 'http' }>): HttpTargetAddress {
  if (address.kind === 'http') return address;
  return { kind: 'http', secure: false, host: address.host, port: address.port, basePath: '' };
}

async function probeHttp(address: HttpTargetAddress, options: TargetProbeOptions): Promise<void> {
  const { clock, allow, ca, proxyProtocol, signal, anyStatus = false } = options;
  const name = formatTargetAddress(address);
  const agent = new TargetAgent(address, {
    ...{ clock, allow, ca, proxyProtocol },
    dialTimeoutMs: PROBE_TIMEOUT_MS,
    reuse: false,
  });
  const late = () =>
    down(name, 'HCM_TARGET_TIMEOUT', `${name} did not answer within ${PROBE_TIMEOUT_MS / 1_000} s`);
  try {
    const status = await withDeadline({ clock, limitMs: PROBE_TIMEOUT_MS, late, signal }, (inner) =>
      statusOf(address, agent, { ...options, signal: inner }),
    );
    if (status >= SERVER_ERRORS && !anyStatus)
      throw down(name, 'HCM_TARGET_UNREACHABLE', `${name} answered with status ${status}`);
  } finally {
    agent.destroy();
  }
}

/** Redirects are not followed: that they are sent is an answer. */
function statusOf(
  address: HttpTargetAddress,
  agent: TargetAgent,
  { check, hostHeader, signal }: TargetProbeOptions,
): Promise<number> {
  const path = (check.kind === 'http' ? check.path : undefined) ?? (address.basePath || '/');
  const host = hostHeader === undefined || hostHeader === 'original' ? hostHeaderOf(address) : hostHeader;
  return new Promise((resolve, reject) => {
    const asked: AgentRequest = {
      agent,
      path,
      headers: { host, 'user-agent': 'hcm-health-check', connection: 'close' },
      setHost: false,
      client: { remote: undefined, stream: undefined },
    };
    const outgoing = httpRequest(asked);
    const abort = () => {
      outgoing.destroy();
      reject(signal.reason);
    };
    const answered = ({ statusCode = 0 }: IncomingMessage) => {
      signal.removeEventListener('abort', abort);
      resolve(statusCode);
      outgoing.destroy();
    };
    signal.addEventListener('abort', abort, { once: true });
    outgoing.once('response', answered).once('upgrade', (answer, socket) => {
      answered(answer);
      socket.destroy();
    });
    outgoing.on('error', (error) => {
      signal.removeEventListener('abort', abort);
      reject(probeError(error, formatTargetAddress(address)));
    });
    outgoing.end();
  });
}

function probeError(error: Error, name: string): HcmError {
  if (error instanceof HcmError) return error;
  const code = nodeCode(error);
  const what = code.startsWith('HPE_')
    ? `answered with what is not HTTP (${code})`
    : `closed the connection without an answer (${code || error.message})`;
  return down(name, 'HCM_TARGET_UNREACHABLE', `${name} ${what}`);
}

function down(target: string, code: 'HCM_TARGET_TIMEOUT' | 'HCM_TARGET_UNREACHABLE', text: string): HcmError {
  return new HcmError(code, text, { retryable: true, details: { target } });
}
