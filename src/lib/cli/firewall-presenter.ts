/** How the hosts that a firewall must let out are shown: to be pasted, to be read, and as JSON. */
import type { HcmError } from '../../protocol/errors.ts';
import type { AllowedHost, FirewallList } from '../services/firewall/firewall-list.ts';
import { PRIVATE_LINK_PORTS } from '../services/firewall/gateways.ts';
import type { TriedHost } from '../services/firewall/try-hosts.ts';
import type { Output } from './output.ts';
import { toUserError } from './to-user-error.ts';

/** As listed, or as tried. */
export type ShownHost = AllowedHost & Partial<TriedHost>;

interface ShownLists {
  readonly relay: readonly ShownHost[];
  readonly azure: readonly ShownHost[];
}

/** More of them say nothing new. */
const FAILURES_SHOWN = 5;

/** A `host port` a line on stdout, to be pasted; all there is to say about them on stderr. */
export function printFirewall(
  output: Output,
  list: FirewallList,
  { relay, azure, test }: ShownLists & { test: boolean },
): void {
  const { bold, dim } = output.paint;
  if (list.local) {
    output.say(
      `${list.host} is this machine: no firewall need let anything out. The one port of the emulator:`,
    );
  } else output.say(bold('For listeners and senders (outbound TCP, TLS):'));
  for (const host of relay) output.answer(line(host));
  sayAboutGateways(output, list);
  if (azure.length > 0) {
    output.answer('');
    output.say(
      bold('Besides, for commands that sign in and look up keys; a connection string needs none of these:'),
    );
    for (const host of azure) output.answer(line(host));
  }
  const failures = [...relay, ...azure].filter(isFailed);
  for (const { host, port, trial } of failures.slice(0, FAILURES_SHOWN)) {
    output.complain(`${output.paint.red('Blocked:')} ${host}:${port}: ${toUserError(trial.error).message}`);
  }
  if (failures.length > FAILURES_SHOWN) output.complain(`… and ${failures.length - FAILURES_SHOWN} more.`);
  if (test && failures.length === 0)
    output.say(`\n${output.paint.green('All that there is today can be reached.')}`);
  if (!test && !list.local) output.say(dim(`\nTo try them from here: hcm firewall ${list.host} --test`));
}

function sayAboutGateways(
  output: Output,
  { local, wildcard, stamp, relay, privateLink }: FirewallList,
): void {
  if (local || wildcard === undefined) return;
  if (privateLink) output.say(`A private endpoint: a listener also dials its ports ${PRIVATE_LINK_PORTS}.`);
  if (stamp === undefined) {
    output.warn(
      `DNS does not tell which gateways are behind the namespace. Let out ${wildcard} 443 instead.`,
    );
    return;
  }
  const future = relay.filter(({ exists }) => exists === false);
  if (future.length > 0) {
    output.say(
      `${future.length} of these names do not resolve yet: they are for gateways that Azure adds (${ranges(future)}).`,
    );
  }
  output.say(`Where wildcards can be used, in place of all of them: ${wildcard} 443`);
}

/** `g16-g127, gv16-gv127`. */
function ranges(hosts: readonly AllowedHost[]): string {
  const found = hosts.flatMap(({ host }) => {
    const [, kind, index] = /^(gv?)(\d+)-/.exec(host) ?? [];
    return kind === undefined ? [] : [{ kind, index: Number(index) }];
  });
  const texts: string[] = [];
  for (let at = 0; at < found.length;) {
    const first = found[at];
    let last = first;
    for (at += 1; found[at]?.kind === last?.kind && found[at]?.index === (last?.index ?? 0) + 1; at += 1) {
      last = found[at];
    }
    if (first === undefined || last === undefined) break;
    const name = `${first.kind}${first.index}`;
    texts.push(first === last ? name : `${name}-${last.kind}${last.index}`);
  }
  return texts.join(', ');
}

function line({ host, port, trial }: ShownHost): string {
  return `${host} ${port}${trial === undefined ? '' : ` ${trialText(trial)}`}`;
}

function trialText(trial: TriedHost['trial']): string {
  return trial.result === 'failed' ? trial.error.code : trial.result;
}

export function isFailed<T extends ShownHost>(
  host: T,
): host is T & { trial: Extract<TriedHost['trial'], { error: HcmError }> } {
  return host.trial?.result === 'failed';
}

/** The document of docs/json.md. */
export function firewallJson(
  { host, port, local, stamp, privateLink, wildcard }: FirewallList,
  { relay, azure, exitStatus }: ShownLists & { exitStatus: number },
): object {
  return {
    ...{ host, port, local, privateLink },
    ...(stamp === undefined ? {} : { stamp }),
    ...(wildcard === undefined ? {} : { wildcard }),
    exitStatus,
    ...{ relay: relay.map(hostJson), azure: azure.map(hostJson) },
  };
}

function hostJson({ host, port, purpose, exists, trial }: ShownHost): object {
  const error = trial?.result === 'failed' ? toUserError(trial.error) : undefined;
  return {
    ...{ host, port, purpose },
    ...(exists === undefined ? {} : { future: !exists }),
    ...(trial === undefined ? {} : { test: trial.result }),
    ...(trial !== undefined && 'ms' in trial ? { ms: trial.ms } : {}),
    ...(error === undefined ? {} : { code: error.code, message: error.message }),
  };
}
