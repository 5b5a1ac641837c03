/** What an azbridge configuration says beside its forwards, and what becomes of it: mostly a word of warning. */
import { nearest } from '../../did-you-mean.ts';
import type { ImportNode } from './import-node.ts';

/** Keys with which azbridge itself does nothing. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  AddressFamily: 'hcm takes whichever of IPv4 and IPv6 works',
  ConnectionAttempts: 'hcm tries until it succeeds, ever more slowly',
  ConnectTimeout: 'hcm has --connect-timeout',
};

const CONNECTION_KEYS = [
  'AzureRelayConnectionString',
  'AzureRelayEndpoint',
  'AzureRelaySharedAccessKeyName',
  'AzureRelaySharedAccessKey',
  'AzureRelaySharedAccessSignature',
] as const;

const TOP_KEYS = [
  ...CONNECTION_KEYS,
  ...Object.keys(WITHOUT_EFFECT),
  'BindAddress',
  'ClearAllForwardings',
  'ExitOnForwardFailure',
  'GatewayPorts',
  'KeepAliveInterval',
  'LocalForward',
  'LogLevel',
  'LogFileName',
  'RemoteForward',
];
/** azbridge's own; hcm pings more often than that. */
const DEFAULT_KEEP_ALIVE_S = '30';
const LEFT_OUT = 'left out';

export function warnOfOptions(top: ImportNode): void {
  for (const [key, instead] of Object.entries(WITHOUT_EFFECT)) {
    if (top.text(key) !== undefined)
      top.warn(key, `azbridge reads it and does nothing with it: ${LEFT_OUT}; ${instead}`);
  }
  warnOfExit(top);
  warnOfLog(top);
  if (top.text('BindAddress') !== undefined)
    top.warn(
      'BindAddress',
      `the source address of connections to targets: ${LEFT_OUT}; the system chooses it`,
    );
  if (top.flag('ClearAllForwardings'))
    top.warn('ClearAllForwardings', `is about files that azbridge reads before this one: ${LEFT_OUT}`);
  if (top.flag('GatewayPorts'))
    top.warn('GatewayPorts', 'counts for forwards without BindAddress: other machines can use them');
  const keepAlive = top.text('KeepAliveInterval');
  if (keepAlive !== undefined && keepAlive !== DEFAULT_KEEP_ALIVE_S)
    top.warn('KeepAliveInterval', `${LEFT_OUT}: hcm keeps its connections alive by itself, see --keepalive`);
  warnOfUnknown(top, TOP_KEYS);
}

/** Names each key that azbridge does not have. */
export function warnOfUnknown(node: ImportNode, known: readonly string[]): void {
  for (const key of node.othersThan(known)) {
    const meant = nearest(key, known);
    node.warn(
      key,
      /^AZURE_BRIDGE_CONNECTIONSTRING$/i.test(key)
        ? `no key, and as a variable of the environment nothing reads it, whatever azbridge's documents say: ${LEFT_OUT}`
        : `azbridge has no such key: ${LEFT_OUT}${meant === undefined ? '' : `; was ${meant} meant?`}`,
    );
  }
}

/** Its documents say that the default is false, and it is true. */
function warnOfExit(top: ImportNode): void {
  if (!top.has('ExitOnForwardFailure') || top.flag('ExitOnForwardFailure')) return;
  const empty = top.text('ExitOnForwardFailure') === undefined;
  top.warn(
    'ExitOnForwardFailure',
    empty
      ? 'empty it is true in azbridge, whatever its documents say: so it is in hcm, which ends when an address cannot be bound'
      : `${LEFT_OUT}: hcm ends when an address cannot be bound or its first attempt is refused; --keep-trying goes on after a refusal`,
  );
}

function warnOfLog(top: ImportNode): void {
  const level = top.text('LogLevel')?.toLowerCase();
  if (level !== undefined && level !== 'info') {
    const isLoud = /^(?:verbose|debug\d?)$/.test(level);
    top.warn('LogLevel', `${LEFT_OUT}: hcm has ${isLoud ? '--verbose' : '--quiet'}`);
  }
  if (top.text('LogFileName') !== undefined)
    top.warn('LogFileName', `${LEFT_OUT}: send stderr of hcm, or stdout with --json, to a file`);
}
