/** The property list that launchd runs the manager from, as text. Pure. Not tried on macOS. */
import { argumentsOf, LAUNCHD_LABEL, stopTimeoutSeconds, type ServiceCommand } from './service-command.ts';
import { xmlText } from './xml-text.ts';

const RESTART_SECONDS = 5;
/** 0077: what it writes is for its user alone. A property list has no octal numbers. */
const UMASK = 0o077;
const OPEN_FILES = 65_536;

export interface LaunchdJob {
  readonly command: ServiceCommand;
  /** Undefined: a job of the user who loads it. */
  readonly user: string | undefined;
  readonly stateDirectory: string;
}

export function launchdPlist({ command, user, stateDirectory }: LaunchdJob): string {
  const string = (text: string) => `<string>${xmlText(text)}</string>`;
  const entry = (key: string, value: string) => [`  <key>${key}</key>`, `  ${value}`];
  const log = `${stateDirectory}/service.log`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    '<dict>',
    ...entry('Label', string(LAUNCHD_LABEL)),
    '  <key>ProgramArguments</key>',
    '  <array>',
    ...[command.node, ...argumentsOf(command)].map((arg) => `    ${string(arg)}`),
    '  </array>',
    ...(user === undefined ? [] : entry('UserName', string(user))),
    '  <key>EnvironmentVariables</key>',
    '  <dict>',
    '    <key>HCM_STATE_DIR</key>',
    `    ${string(stateDirectory)}`,
    '  </dict>',
    ...entry('RunAtLoad', '<true/>'),
    ...entry('KeepAlive', '<true/>'),
    ...entry('ThrottleInterval', `<integer>${RESTART_SECONDS}</integer>`),
    ...entry('ExitTimeOut', `<integer>${stopTimeoutSeconds(command.graceMs)}</integer>`),
    ...entry('ProcessType', string('Background')),
    ...entry('Umask', `<integer>${UMASK}</integer>`),
    '  <key>SoftResourceLimits</key>',
    '  <dict>',
    '    <key>NumberOfFiles</key>',
    `    <integer>${OPEN_FILES}</integer>`,
    '  </dict>',
    ...entry('StandardOutPath', string(log)),
    ...entry('StandardErrorPath', string(log)),
    '</dict>',
    '</plist>',
    '',
  ].join('\n');
}
