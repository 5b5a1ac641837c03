/** Arguments and flags of the commands about namespaces, hybrid connections, rules and keys. */
import { string as stringArg } from '@oclif/core/args';
import { boolean, custom, string } from '@oclif/core/flags';
import { HcmError } from '../../protocol/errors.ts';
import { parseTarget, type Target } from '../../protocol/target.ts';
import { parseResourceId } from '../arm/references.ts';
import type { Right } from '../arm/rules.ts';
import type { WantedConnection } from '../services/connection-access.ts';
import type { WantedOwner } from '../services/owners.ts';
import { wantedConnection } from './connection-input.ts';
import { formatDuration } from './durations.ts';
import { duration } from './network-flags.ts';

/** A namespace takes up to a minute, its deletion longer; more than this has never been seen. */
const WAIT_TIMEOUT_MS = 900_000;

export const namespaceArg = stringArg({
  name: 'NAMESPACE',
  description: 'Name of the namespace, or its host.',
  required: true,
  ignoreStdin: true,
});

export const connectionArg = stringArg({
  name: 'CONNECTION',
  description: 'NAMESPACE/NAME, only NAME with --namespace, or a resource id.',
  required: true,
  ignoreStdin: true,
});

export const ownerArg = stringArg({
  name: 'OWNER',
  description: 'NAMESPACE, or NAMESPACE/NAME for the rules of one hybrid connection.',
  required: true,
  ignoreStdin: true,
});

export const ruleArg = stringArg({
  name: 'RULE',
  description: 'Name of the rule.',
  required: true,
  ignoreStdin: true,
});

export const namespaceFlag = string({
  description: 'Namespace, or its full host: then CONNECTION is only the name.',
  helpValue: 'NAME',
});

export const timeoutFlag = duration({
  description: 'How long to wait for Azure.',
  default: WAIT_TIMEOUT_MS,
  defaultHelp: () => Promise.resolve(formatDuration(WAIT_TIMEOUT_MS)),
});

export const waitFlags = {
  'no-wait': boolean({ description: 'Do not wait for the end; Azure goes on by itself.' }),
  timeout: timeoutFlag,
};

export const targetFlag = custom<Target>({
  description: 'Where the connection leads, on the private side; IPv6 in [].',
  helpValue: 'HOST:PORT',
  parse: (text) => Promise.resolve().then(() => parseTarget(text)),
});

export const ruleFlag = string({
  description: 'Name of the rule. Default: the only one there is.',
  helpValue: 'NAME',
});

export const skipAppsFlag = boolean({
  description: 'Leave attached apps as they are, and do not look for them.',
});

export const rightsFlag = custom<Right>({
  description: 'Listen, Send or Manage (which takes the others with it); several with commas.',
  helpValue: 'RIGHTS',
  multiple: true,
  delimiter: ',',
  multipleNonGreedy: true,
  parse: (text) => Promise.resolve().then(() => parseRight(text)),
});

/** `--tag NAME=VALUE`, as often as needed. */
export const tagFlag = string({
  description: 'Tag; may be repeated.',
  helpValue: 'NAME=VALUE',
  multiple: true,
  multipleNonGreedy: true,
});

/** @throws HcmError HCM_USAGE. */
export function parseTags(texts: readonly string[] | undefined): Record<string, string> {
  const entries = (texts ?? []).map((text): [string, string] => {
    const at = text.indexOf('=');
    if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
    throw new HcmError('HCM_USAGE', `"${text.slice(0, 40)}" is not a tag.`, {
      details: { next: 'Write --tag NAME=VALUE' },
    });
  });
  return Object.fromEntries(entries);
}

/** The connection of the argument and the flags. @throws HcmError HCM_CONNECTION_INVALID. */
export function connectionOf(
  text: string,
  flags: { namespace?: string | undefined; 'resource-group'?: string | undefined },
): WantedConnection {
  return { resourceGroup: flags['resource-group'], ...wantedConnection(text, flags.namespace) };
}

/** `NAMESPACE` or `NAMESPACE/NAME` of the argument. @throws HcmError HCM_CONNECTION_INVALID. */
export function ownerOf(text: string, flags: { 'resource-group'?: string | undefined }): WantedOwner {
  const isNamespace = !text.includes('/') && parseResourceId(text) === undefined;
  if (isNamespace) return { namespace: text, resourceGroup: flags['resource-group'] };
  return connectionOf(text, flags);
}

function parseRight(text: string): Right {
  const right = (['Listen', 'Send', 'Manage'] as const).find(
    (name) => name.toLowerCase() === text.trim().toLowerCase(),
  );
  if (right !== undefined) return right;
  throw new HcmError('HCM_USAGE', `"${text.slice(0, 40)}" is no right.`, {
    details: { next: 'Write --rights Listen,Send; there is Manage, too' },
  });
}
