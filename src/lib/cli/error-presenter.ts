/** Shows an error: for a person on stderr, or as the JSON that docs/errors.md promises. */
import type { Output } from './output.ts';
import { docsLink, toUserError, type UserError } from './to-user-error.ts';

export interface ErrorStyle {
  json: boolean;
  /** A long-running command ends its stream of events with an `error` event. */
  longRunning: boolean;
}

/** Prints the error and returns the exit status that belongs to it. */
export function presentError(error: unknown, output: Output, style: ErrorStyle): number {
  const shown = toUserError(error);
  const user = { ...shown, next: output.inSameCloud(shown.next) };
  if (style.json) output.json(style.longRunning ? errorEvent(user) : { error: user });
  else output.complain(describe(user, output));
  if (process.env['HCM_DEBUG']) output.complain(debugText(error));
  return user.exitStatus;
}

function errorEvent(error: UserError): object {
  return { event: 'error', time: new Date().toISOString(), error };
}

function describe(user: UserError, { paint }: Output): string {
  const lines = [
    `${paint.red('Error:')} ${user.message}`,
    ...azureLines(user).map((line) => paint.dim(line)),
    `${paint.bold('Next:')}  ${user.next}`,
    paint.dim(`${user.code}, see ${docsLink(user.code)}`),
  ];
  return lines.join('\n');
}

/** What the message does not say already: it has the status and mostly the words, rarely the id of the request. */
function azureLines({ message: shown, azure }: UserError): string[] {
  if (azure === undefined) return [];
  const { status, code, message = '', trackingId, correlationId } = azure;
  const [sentence = ''] = message.split(/[.,;\s]*TrackingId:/i, 1);
  const said = shown.includes(sentence) ? message.slice(sentence.length).replace(/^[.,;\s]+/, '') : message;
  const idOf = (name: string, id: string | undefined) =>
    id === undefined || said.includes(id) ? '' : `(${name} id ${id})`;
  const ids = [idOf('tracking', trackingId), idOf('correlation', correlationId)];
  const newCode = code === undefined || shown.includes(code) ? '' : code;
  const line = [newCode, said, ...ids].filter(Boolean).join(' ');
  return line === '' ? [] : [`Azure: ${status === undefined ? '' : `${status} `}${line}`];
}

/** Stacks of the error and its causes, for a bug report; still redacted by the output. */
function debugText(error: unknown): string {
  const lines: string[] = [];
  for (let cause = error; cause instanceof Error && lines.length < 8; cause = cause.cause) {
    lines.push(cause.stack ?? cause.message);
  }
  return lines.join('\ncaused by ');
}
