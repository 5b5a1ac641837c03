/** Finds out what a firewall must let out, and tries it where that was asked for. */
import { parseConnectionString } from '../../protocol/connection-string.ts';
import { HcmError } from '../../protocol/errors.ts';
import type { Endpoint } from '../../protocol/relay-hosts.ts';
import { systemClock } from '../../tunnel/clock.ts';
import type { NetworkOptions } from '../../tunnel/options.ts';
import { RelayDialer } from '../../tunnel/relay-dialer.ts';
import type { Cloud } from '../auth/cloud.ts';
import type { Dns } from '../services/firewall/dns.ts';
import { firewallList, type AllowedHost } from '../services/firewall/firewall-list.ts';
import { tryHosts, type TriedHost } from '../services/firewall/try-hosts.ts';
import { wantedConnection } from './connection-input.ts';
import { firewallJson, isFailed, printFirewall } from './firewall-presenter.ts';
import { readSecretFile, readStdin } from './input-file.ts';
import type { Output } from './output.ts';
import { toUserError } from './to-user-error.ts';

/** A firewall that drops packets answers nothing: a relay that is there answers in a tenth of that. */
const TRIAL_LIMIT_MS = 5_000;

export interface FirewallRun {
  endpoint: Endpoint;
  cloud: Cloud;
  dns: Dns;
  network: NetworkOptions;
  test: boolean;
  output: Output;
  json: boolean;
  signal: AbortSignal;
}

/** Resolves with the exit status: that of the first host of the relay that cannot be reached. */
export async function runFirewall(run: FirewallRun): Promise<number> {
  const { output, json, test, signal } = run;
  const isTerminal = process.stderr.isTTY;
  if (isTerminal) output.progress('resolving the gateways');
  const list = await firewallList({ ...run, clock: systemClock });
  const shown = test
    ? { relay: await tryThem(run, list.relay), azure: await tryThem(run, list.azure) }
    : { relay: list.relay, azure: list.azure };
  signal.throwIfAborted();
  output.wipeProgress();
  const failure = shown.relay.find(isFailed);
  const exitStatus = failure === undefined ? 0 : toUserError(failure.trial.error).exitStatus;
  if (json) output.json(firewallJson(list, { ...shown, exitStatus }));
  else printFirewall(output, list, { ...shown, test });
  return exitStatus;
}

function tryThem(
  { network, output, signal }: FirewallRun,
  hosts: readonly AllowedHost[],
): Promise<TriedHost[]> {
  const options = { ...network, connectTimeoutMs: network.connectTimeoutMs ?? TRIAL_LIMIT_MS };
  const dialer = new RelayDialer(options, systemClock);
  return tryHosts(hosts, {
    dial: (host, port, inner) => dialer.dial(host, port, inner),
    ...{ clock: systemClock, signal },
    onTried: (done) => process.stderr.isTTY && output.progress(`trying ${done} of ${hosts.length} hosts`),
  });
}

export interface FirewallInput {
  /** NAMESPACE, its host, NAMESPACE/NAME or a resource id, as typed. */
  name: string | undefined;
  /** Files with a connection string; `-` is stdin. */
  file: string | undefined;
  cloud: Cloud;
  env: Readonly<Record<string, string | undefined>>;
  output: Output;
}

/** Whose hosts are wanted; no key is used. @throws HcmError HCM_USAGE, HCM_CONNECTION_INVALID, HCM_CONNECTION_STRING_INVALID. */
export async function readEndpoint({ name, file, cloud, env, output }: FirewallInput): Promise<Endpoint> {
  if (name !== undefined) {
    const { endpointByName } = await import('../services/connection-access.ts');
    return endpointByName(namespaceOf(name), cloud);
  }
  const stdin = { what: 'connection string', instead: '--connection-string-file FILE' };
  const text =
    file === undefined
      ? env['HCM_CONNECTION_STRING']
      : file === '-'
        ? await readStdin(stdin)
        : await readSecretFile(file, output);
  if (text) return parseConnectionString(text).endpoint;
  throw new HcmError('HCM_USAGE', 'No namespace is named.', {
    details: { next: 'hcm firewall NAMESPACE' },
  });
}

/** What is no name is not repeated: it may be a connection string. */
function namespaceOf(text: string): string {
  if (/[=;\s]/.test(text)) {
    throw new HcmError('HCM_CONNECTION_INVALID', 'That is no namespace.', {
      details: { next: 'hcm firewall NAMESPACE, or --connection-string-file FILE' },
    });
  }
  return text.includes('/') ? wantedConnection(text).namespace : text;
}
