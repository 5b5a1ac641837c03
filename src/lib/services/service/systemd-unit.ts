/**
 * The unit file that systemd runs the manager from, as text. Pure: who runs it, and where, comes in. The reasons for
 * what it forbids are in docs/decisions/0023-the-service.md.
 */
import { HcmError } from '../../../protocol/errors.ts';
import {
  argumentsOf,
  SERVICE_NAME,
  SERVICE_TITLE,
  stopTimeoutSeconds,
  type ServiceCommand,
} from './service-command.ts';

/** Settings that a machine has beside the command line: HCM_PROXY, HCM_CA_FILE and the like. */
export const ENVIRONMENT_FILE = '/etc/hcm/hcm.env';

/** A loop that is stuck for so long is killed; half of it is the pause between two signs of life. */
const WATCHDOG_SECONDS = 60;
const START_TIMEOUT_SECONDS = 90;
const RESTART_SECONDS = 5;
/** A stream is two sockets; systemd's soft default of 1024 would be 500 streams. */
const OPEN_FILES = 65_536;

export interface SystemUnit {
  readonly scope: 'system';
  readonly command: ServiceCommand;
  readonly user: string;
  /** Undefined: the user's own. */
  readonly group: string | undefined;
  /** Something that it needs lies below /home. */
  readonly seesHomes: boolean;
}

export interface UserUnit {
  readonly scope: 'user';
  readonly command: ServiceCommand;
  /** HCM_STATE_DIR, or where it is without: commands and service must agree. */
  readonly stateDirectory: string;
}

/** @throws HcmError HCM_USAGE for a path that no unit file can hold. */
export function systemdUnit(unit: SystemUnit | UserUnit): string {
  const sections = unit.scope === 'system' ? systemSections(unit) : userSections(unit);
  return [
    `# Written by "hcm service install". Settings of your own: systemctl ${unit.scope === 'user' ? '--user ' : ''}edit hcm`,
    ...sections.map(([name, lines]) => [`[${name}]`, ...lines].join('\n')),
  ]
    .join('\n\n')
    .replace('\n\n', '\n')
    .concat('\n');
}

type Section = readonly [name: string, lines: readonly string[]];

function systemSections({ command, user, group, seesHomes }: SystemUnit): Section[] {
  return [
    [
      'Unit',
      [
        `Description=${SERVICE_TITLE}`,
        'Wants=network-online.target',
        'After=network-online.target nss-lookup.target',
        // It is tried again for as long as it takes: a full disk or a network that comes late ends by itself.
        'StartLimitIntervalSec=0',
      ],
    ],
    [
      'Service',
      [
        ...runLines(command),
        `User=${user}`,
        ...(group === undefined ? [] : [`Group=${group}`]),
        `StateDirectory=${SERVICE_NAME}`,
        'StateDirectoryMode=0700',
        `RuntimeDirectory=${SERVICE_NAME}`,
        'RuntimeDirectoryMode=0750',
        `LogsDirectory=${SERVICE_NAME}`,
        'LogsDirectoryMode=0750',
        `Environment=HCM_STATE_DIR=%S/${SERVICE_NAME} HOME=%S/${SERVICE_NAME}`,
        `EnvironmentFile=-${ENVIRONMENT_FILE}`,
        '',
        ...hardening(seesHomes),
      ],
    ],
    ['Install', ['WantedBy=multi-user.target']],
  ];
}

/** Less is forbidden: a user's systemd has no right to make mounts, and the user's keys are what it needs. */
function userSections({ command, stateDirectory }: UserUnit): Section[] {
  return [
    ['Unit', [`Description=${SERVICE_TITLE}`, 'StartLimitIntervalSec=0']],
    [
      'Service',
      [
        ...runLines(command),
        `Environment=${quoted(`HCM_STATE_DIR=${stateDirectory}`)}`,
        'EnvironmentFile=-%E/hcm/hcm.env',
        '',
        'UMask=0077',
        'NoNewPrivileges=yes',
        'LockPersonality=yes',
        'RestrictRealtime=yes',
        'SystemCallArchitectures=native',
      ],
    ],
    ['Install', ['WantedBy=default.target']],
  ];
}

function runLines(command: ServiceCommand): string[] {
  return [
    'Type=notify',
    // Node has no datagram sockets of the Unix kind: systemd-notify, a child, tells what there is to tell.
    'NotifyAccess=all',
    `ExecStart=${commandLine(command.node, argumentsOf(command))}`,
    'ExecReload=/bin/kill -HUP $MAINPID',
    'Restart=always',
    `RestartSec=${RESTART_SECONDS}s`,
    `TimeoutStartSec=${START_TIMEOUT_SECONDS}s`,
    `TimeoutStopSec=${stopTimeoutSeconds(command.graceMs)}s`,
    `WatchdogSec=${WATCHDOG_SECONDS}s`,
    // The signal is the manager's: it drains, and ends what it has started.
    'KillMode=mixed',
    `LimitNOFILE=${OPEN_FILES}`,
  ];
}

/** All but what Node and a tunnel cannot do without: MemoryDenyWriteExecute (its JIT), the network. */
function hardening(seesHomes: boolean): string[] {
  return [
    'UMask=0077',
    'NoNewPrivileges=yes',
    'CapabilityBoundingSet=',
    'AmbientCapabilities=',
    'ProtectSystem=strict',
    `ProtectHome=${seesHomes ? 'read-only' : 'yes'}`,
    'PrivateMounts=yes',
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'DevicePolicy=closed',
    'PrivateUsers=yes',
    'ProtectProc=invisible',
    'ProcSubset=pid',
    'ProtectClock=yes',
    'ProtectControlGroups=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'LockPersonality=yes',
    'RemoveIPC=yes',
    'KeyringMode=private',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallFilter=~@privileged @resources',
    'SystemCallErrorNumber=EPERM',
  ];
}

/**
 * A program and its arguments on one line of a unit file. `%` starts a specifier anywhere; `$` a variable, but not in
 * the path of the program, which systemd takes as it stands (systemd.service(5), "Command lines").
 */
function commandLine(program: string, args: readonly string[]): string {
  return [quoted(program), ...args.map((arg) => quoted(arg).replaceAll('$', '$$$$'))].join(' ');
}

/** In quotes where it must be. @throws HcmError HCM_USAGE for a control character: no line of a unit holds one. */
function quoted(text: string): string {
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    throw new HcmError('HCM_USAGE', `The path ${JSON.stringify(text)} has a control character in it.`, {
      details: { next: 'Move it to a path without one' },
    });
  }
  const escaped = text.replaceAll('%', '%%');
  if (/^[\w%@./:=,+-]+$/.test(escaped)) return escaped;
  return `"${escaped.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
