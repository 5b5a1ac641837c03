/**
 * The configuration of WinSW (version 3), as text. Node cannot answer Windows' service control manager, so a program
 * that can stands between: WinSW sends Ctrl+C and waits, which is how the manager drains. Pure. Not tried on Windows.
 */
import {
  argumentsOf,
  SERVICE_NAME,
  SERVICE_TITLE,
  stopTimeoutSeconds,
  type ServiceCommand,
} from './service-command.ts';
import { xmlText } from './xml-text.ts';

export interface WinswService {
  readonly command: ServiceCommand;
  readonly stateDirectory: string;
  readonly pipe: string;
}

export function winswXml({ command, stateDirectory, pipe }: WinswService): string {
  const tag = (name: string, text: string) => `  <${name}>${xmlText(text)}</${name}>`;
  const env = (name: string, value: string) => `  <env name="${name}" value="${xmlText(value)}"/>`;
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<service>',
    tag('id', SERVICE_NAME),
    tag('name', SERVICE_TITLE),
    tag('description', 'Runs the hybrid connections of this machine.'),
    tag('executable', command.node),
    tag('arguments', argumentsOf(command).map(windowsArgument).join(' ')),
    env('HCM_STATE_DIR', stateDirectory),
    env('HCM_CONTROL_SOCKET', pipe),
    // Its account has no desktop, and shares its keychain with other services.
    env('HCM_SECRETS', 'file'),
    tag('startmode', 'Automatic'),
    '  <delayedAutoStart>true</delayedAutoStart>',
    '  <onfailure action="restart" delay="5 sec"/>',
    tag('resetfailure', '1 hour'),
    tag('stoptimeout', `${stopTimeoutSeconds(command.graceMs)} sec`),
    '  <serviceaccount>',
    '    <username>NT AUTHORITY\\LocalService</username>',
    '  </serviceaccount>',
    tag('logpath', `${stateDirectory}\\logs`),
    '  <log mode="roll-by-size">',
    '    <sizeThreshold>10240</sizeThreshold>',
    '    <keepFiles>5</keepFiles>',
    '  </log>',
    '</service>',
    '',
  ].join('\n');
}

/** As CommandLineToArgvW takes it apart: backslashes count only before a quote. */
function windowsArgument(text: string): string {
  if (/^[^\s"]+$/.test(text)) return text;
  return `"${text.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}
