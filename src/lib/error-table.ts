/** Every error code with its exit status and the thing to do next: the one place for both, for commands and the manager. */
import type { ErrorCode, ErrorDetails } from '../protocol/errors.ts';

/** The statuses that the README promises. */
export const EXIT = {
  unexpected: 1,
  usage: 2,
  forbidden: 3,
  relay: 4,
  resource: 5,
  target: 6,
  notRunning: 7,
  timedOut: 124,
  interrupted: 130,
  terminated: 143,
} as const;

export interface ErrorEntry {
  readonly exitStatus: number;
  /** What to type or to look at next. */
  readonly next: string | ((details: ErrorDetails) => string);
}

const usage = (next: ErrorEntry['next']): ErrorEntry => ({ exitStatus: EXIT.usage, next });
const forbidden = (next: ErrorEntry['next']): ErrorEntry => ({ exitStatus: EXIT.forbidden, next });
const relay = (next: ErrorEntry['next']): ErrorEntry => ({ exitStatus: EXIT.relay, next });
const target = (next: ErrorEntry['next']): ErrorEntry => ({ exitStatus: EXIT.target, next });

const SHAPE =
  'Endpoint=sb://NAMESPACE.servicebus.windows.net/;SharedAccessKeyName=RULE;SharedAccessKey=KEY;EntityPath=NAME';
const COPY_STRING =
  'Copy the connection string again: portal > Relay > the hybrid connection > Shared access policies';

/** Public Azure's namespaces are typed without it; those of other clouds, and the emulator, by their host. */
const PUBLIC_SUFFIX = '.servicebus.windows.net';

/** The hybrid connection that an error is about, as one types it: NAMESPACE/NAME, where the namespace is known. */
function named({ host, path }: ErrorDetails): string {
  if (path === undefined) return 'CONNECTION';
  if (typeof host !== 'string') return String(path);
  const namespace = host.endsWith(PUBLIC_SUFFIX) ? host.slice(0, -PUBLIC_SUFFIX.length) : host;
  return `${namespace}/${String(path)}`;
}

export const ERROR_TABLE: Readonly<Record<ErrorCode, ErrorEntry>> = {
  HCM_CONNECTION_STRING_INVALID: usage(`A connection string looks like ${SHAPE}`),
  HCM_CONNECTION_INVALID: usage(
    'Write NAMESPACE/NAME, or only NAME with --namespace or with the connection string of a namespace',
  ),
  HCM_TARGET_INVALID: usage(
    'Write --target HOST:PORT, such as db.corp.local:5432 or [fd00::1]:5432; or unix:PATH, or http://HOST:PORT',
  ),
  HCM_TARGET_MISSING: usage('Say where it goes: --target HOST:PORT'),
  HCM_ALLOW_INVALID: usage(
    'Write --allow HOST:PORT, such as --allow 10.0.0.0/8:5432 or --allow *.corp.local:*',
  ),
  HCM_BIND_INVALID: usage(
    'Write --bind ADDR:PORT, such as --bind 127.0.0.1:1433 (port 0: any free one), or --bind unix:PATH',
  ),
  HCM_PORT_IN_USE: usage('Take any free port with port 0, or stop the program that has this one'),
  HCM_BIND_FAILED: usage(({ bind }) => {
    // A missing folder is told by Node as one that may not be written.
    return typeof bind === 'string' && bind.startsWith('unix:')
      ? `See whether the folder exists and is yours to write: ls -ld ${folderOf(bind.slice('unix:'.length))}`
      : 'Take an address of this machine and a port above 1023: --bind 127.0.0.1:0';
  }),
  HCM_PROXY_INVALID: usage('Write --proxy http://HOST:PORT or --proxy socks5://HOST:PORT, or --proxy off'),
  HCM_FILE_UNREADABLE: usage('Check the path and who may read the file: ls -l FILE'),
  HCM_USAGE: usage('hcm --help'),
  HCM_STATE_LOCKED: usage('Stop the other one first, or give this one its own --state-dir or --ephemeral'),
  HCM_STATE_CORRUPT: usage('Move the file away and start again; --ephemeral starts without it'),
  HCM_STATE_UNWRITABLE: {
    exitStatus: EXIT.unexpected,
    next: 'Make room on the disk, or point HCM_STATE_DIR to a folder that you may write',
  },
  HCM_KEYCHAIN_UNAVAILABLE: {
    exitStatus: EXIT.unexpected,
    next: 'Unlock the keychain; or keep keys in a file: hcm service run --secrets file, and add the connection again',
  },
  HCM_SECRET_MISSING: forbidden(({ connection }) => {
    return `Add it again with its key: hcm add ${connection ?? 'CONNECTION'} --connection-string-file FILE`;
  }),
  HCM_SECRET_EXPOSED: forbidden('Renew the keys that were in it: hcm key rotate CONNECTION'),
  HCM_OUTPUT_FAILED: {
    exitStatus: EXIT.unexpected,
    next: 'Make room where the output goes, or send it elsewhere',
  },
  HCM_UNEXPECTED: {
    exitStatus: EXIT.unexpected,
    next: 'This is a bug in hcm. Run it again with HCM_DEBUG=1 and report what it prints',
  },
  HCM_MANAGER_VERSION: {
    exitStatus: EXIT.notRunning,
    next: 'Start the manager again, so that it is the hcm that is installed: hcm service stop, hcm service start',
  },
  HCM_NOT_RUNNING: { exitStatus: EXIT.notRunning, next: 'hcm emulator start' },
  HCM_SERVICE_FAILED: { exitStatus: EXIT.unexpected, next: 'hcm service status' },
  HCM_SERVICE_UNSUPPORTED: usage('hcm service run, from whatever starts programs on this machine'),

  HCM_CLOUD_UNKNOWN: usage('hcm cloud list'),
  HCM_CLOUD_INVALID: usage('hcm cloud add NAME --endpoint https://HOST'),
  HCM_NAME_INVALID: usage('hcm help COMMAND'),
  HCM_LOCATION_INVALID: usage('az account list-locations -o table'),
  HCM_CONFIG_INVALID: usage('See docs/hcm-yaml.md'),
  HCM_VARIABLE_MISSING: usage('Set the variable in the environment'),
  HCM_CONFIRMATION_NEEDED: usage('Type the same command with --yes'),
  HCM_INPUT_NEEDED: usage('hcm help COMMAND'),
  HCM_SUBSCRIPTION_MISSING: usage('hcm account set --subscription NAME'),
  HCM_SIGN_IN_REQUIRED: forbidden('hcm login'),
  HCM_SIGN_IN_FAILED: forbidden('hcm login'),
  HCM_AZURE_UNAUTHORIZED: forbidden('hcm login'),
  HCM_AZURE_FORBIDDEN: forbidden('hcm account show'),
  HCM_AZURE_UNAVAILABLE: relay('Try again in a moment; see the state of Azure: https://status.azure.com'),
  HCM_AZURE_THROTTLED: relay('Wait a minute and type the same command again'),
  HCM_AZURE_REJECTED: { exitStatus: EXIT.resource, next: 'hcm help COMMAND' },
  HCM_RESOURCE_NOT_FOUND: { exitStatus: EXIT.resource, next: 'hcm namespace list' },
  HCM_RESOURCE_CONFLICT: { exitStatus: EXIT.resource, next: 'Try again in a moment' },
  HCM_RESOURCE_AMBIGUOUS: {
    exitStatus: EXIT.resource,
    next: 'Name the resource group: --resource-group NAME',
  },
  HCM_NAME_TAKEN: { exitStatus: EXIT.resource, next: 'hcm namespace check-name NAME' },
  HCM_PROVIDER_NOT_REGISTERED: {
    exitStatus: EXIT.resource,
    next: 'az provider register --namespace Microsoft.Relay',
  },
  HCM_METADATA_INVALID: {
    exitStatus: EXIT.resource,
    next: 'hcm connection update CONNECTION --target HOST:PORT',
  },
  HCM_PLAN_LIMIT: { exitStatus: EXIT.resource, next: 'hcm plan show PLAN' },
  HCM_PLAN_UNSUPPORTED: { exitStatus: EXIT.resource, next: 'hcm plan show PLAN' },
  HCM_OPERATION_FAILED: { exitStatus: EXIT.resource, next: 'hcm namespace show NAMESPACE' },
  HCM_INTERRUPTED: { exitStatus: EXIT.interrupted, next: 'Type the same command again' },
  HCM_WAIT_TIMEOUT: { exitStatus: EXIT.timedOut, next: 'hcm namespace show NAMESPACE' },

  HCM_TOKEN_MISSING: forbidden(
    'Sign in with hcm login, or set HCM_CONNECTION_STRING, or give --connection-string-file FILE',
  ),
  HCM_TOKEN_MALFORMED: forbidden(COPY_STRING),
  HCM_TOKEN_SIGNATURE: forbidden(`The key is wrong or was renewed. ${COPY_STRING}`),
  HCM_TOKEN_EXPIRED: forbidden('Get a new token, or use a connection string with a key'),
  HCM_TOKEN_AUDIENCE: forbidden(
    'The token is for another namespace or hybrid connection: take the one made for this',
  ),
  HCM_RIGHT_MISSING: forbidden(
    'Take a rule with the right that is needed: Listen for hcm listen, Send for hcm forward',
  ),
  HCM_UNAUTHORIZED: forbidden(COPY_STRING),
  HCM_FORBIDDEN: forbidden('Check the rights of the rule, and the firewall of the namespace'),
  HCM_IP_NOT_ALLOWED: forbidden('Let this address in: portal > Relay > Networking > Firewall'),
  HCM_CLOCK_SKEW: forbidden('Set the clock of this machine: timedatectl set-ntp true'),

  HCM_DNS_FAILED: relay(({ host }) => `Check the name of the namespace: nslookup ${host ?? 'HOST'}`),
  HCM_CONNECT_REFUSED: relay(({ host, port }) => {
    return isLocal(host)
      ? 'Start the emulator: hcm emulator start'
      : `Let this machine reach ${host ?? 'the relay'}:${port ?? 443}, or use --proxy`;
  }),
  HCM_CONNECT_FAILED: relay('Check the network of this machine, or use --proxy'),
  HCM_CONNECT_TIMEOUT: relay(
    ({ host, port }) =>
      `Open ${host ?? 'the relay'}:${port ?? 443} in the firewall, use --proxy, or raise --connect-timeout`,
  ),
  HCM_TLS_UNTRUSTED: relay(({ host }) => {
    return isLocal(host)
      ? 'Trust the CA of that emulator, the caFile of its ready line: --ca-file FILE or HCM_CA_FILE=FILE'
      : 'Behind an inspecting firewall, trust its CA: --ca-file FILE or HCM_CA_FILE=FILE';
  }),
  HCM_TLS_FAILED: relay('See whether something in between breaks TLS: openssl s_client -connect HOST:443'),
  HCM_PROXY_FAILED: relay('Check the address of the proxy, and that it may reach port 443 of the relay'),
  HCM_PROXY_AUTH_REQUIRED: relay(
    'Give --proxy http://USER@HOST:PORT and --proxy-password-file FILE or HCM_PROXY_PASSWORD',
  ),
  HCM_NO_LISTENER: relay((details) => {
    // Nobody can be asked for a key by these names: the emulator's connection string has it.
    const who = isThisMachine(details['host']) ? '--connection-string-file FILE' : named(details);
    return `Start a listener on the private side: hcm listen ${who} --target HOST:PORT`;
  }),
  HCM_LISTENER_FILTERED: relay('Loosen the listener filter: none of the connected listeners matches it'),
  HCM_LISTENER_TIMEOUT: relay('See on the private side whether the listener is alive and reaches its target'),
  HCM_LISTENER_QUOTA: relay('Stop one of the listeners: a hybrid connection takes at most 25'),
  HCM_QUOTA_EXCEEDED: relay('Wait, or close other connections of the namespace'),
  HCM_RELAY_BUSY: relay('Try again in a moment; see the state of Azure: https://status.azure.com'),
  HCM_RELAY_FAULT: relay('Try again in a moment; see the state of Azure: https://status.azure.com'),
  HCM_HANDSHAKE_FAILED: relay(
    'See whether a proxy in between lets WebSockets pass; try without it: --proxy off',
  ),
  HCM_RENDEZVOUS_EXPIRED: relay(
    'Try again; if it lasts, see what slows the listener on its way to the relay',
  ),
  HCM_CONNECTION_LOST: relay(
    'Try again; if it lasts, see why the network or a program on the way breaks off',
  ),
  HCM_KEEPALIVE_TIMEOUT: relay('Check the network of this machine, or try --keepalive pong'),
  HCM_WEBSOCKET_PROTOCOL: relay(
    'See whether a proxy in between changes WebSockets; try without it: --proxy off',
  ),
  HCM_ABORTED: relay('Raise --grace-period when open streams need more time to finish'),
  HCM_IDLE_TIMEOUT: { exitStatus: EXIT.timedOut, next: 'Raise --idle-timeout, or leave it out' },

  HCM_ENTITY_NOT_FOUND: {
    exitStatus: EXIT.resource,
    next: ({ path }) =>
      path === undefined
        ? 'See whether it still exists and is enabled: portal > Relay > Hybrid Connections'
        : `Check the name "${String(path)}": portal > Relay > Hybrid Connections`,
  },
  HCM_ENTITY_CONFLICT: {
    exitStatus: EXIT.resource,
    next: 'See what exists under this name: portal > Relay > Hybrid Connections',
  },

  HCM_TARGET_REFUSED: target(
    'On the private side, see whether the target is running and listening on that port',
  ),
  HCM_TARGET_UNRESOLVED: target('On the private side, check the host name of the target'),
  HCM_TARGET_TIMEOUT: target('On the private side, check firewalls between the listener and its target'),
  HCM_TARGET_UNREACHABLE: target(
    'On the private side, check the network between the listener and its target',
  ),
  HCM_TARGET_NOT_ALLOWED: target('Allow the target at the listener: hcm listen ... --allow HOST:PORT'),
  HCM_LOGICAL_PORT_UNKNOWN: target(
    'Compare the names of both ends: hcm listen ... --dialect azbridge --target NAME=HOST:PORT',
  ),
  HCM_LOGICAL_PORT_MODE: target(
    'Bind udp:ADDR:PORT for a UDP target, and only for that: hcm forward ... --bind NAME=udp:ADDR:PORT',
  ),
  HCM_DIALECT_MISMATCH: target('Give both ends the same --dialect'),
  HCM_HTTP_UNSERVED: target(
    'Start the listener with an HTTP target: hcm listen ... --target http://HOST:PORT',
  ),
  HCM_REQUEST_INVALID: target('Look at the request: a header or its target cannot be passed on'),
  HCM_RESPONSE_INVALID: target('Look at the answer of the target: curl -v'),
  HCM_LISTENER_BUSY: relay('Raise --max-streams of the listener, or start another one'),
  HCM_REJECTED: target('See the log of the listener on the private side'),
};

/** What to do about an error: its own advice, else that of its code. */
export function remedyOf({
  code,
  details = {},
}: {
  readonly code: ErrorCode;
  readonly details?: ErrorDetails | undefined;
}): string {
  const own = details['next'];
  if (typeof own === 'string') return own;
  const { next } = ERROR_TABLE[code];
  return typeof next === 'string' ? next : next(details);
}

function isLocal(host: unknown): boolean {
  return isThisMachine(host) || (typeof host === 'string' && host.endsWith('.localhost'));
}

/** An emulator by a name that says no namespace. */
function isThisMachine(host: unknown): boolean {
  return typeof host === 'string' && (host === 'localhost' || host.startsWith('127.') || host === '::1');
}

function folderOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end < 0 ? '.' : path.slice(0, end) || '/';
}
