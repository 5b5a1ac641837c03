/** Shows what a tunnel tells: NDJSON on stdout with --json, else lines for people on stderr. */
import type { EmulatorEvent } from '../../emulator/events.ts';
import type { EventView } from '../../manager/control/operations.ts';
import type { HcmError } from '../../protocol/errors.ts';
import { CLOCK_SKEW_LIMIT_MS } from '../../protocol/limits.ts';
import type { RequestServed, TunnelEvent, TunnelEventHandler } from '../../tunnel/events.ts';
import { formatDuration } from './durations.ts';
import { remedyOf } from '../error-table.ts';
import { toUserError } from './to-user-error.ts';
import type { Output } from './output.ts';

/** Fields of our own `ready` line; `time` is added. */
export type ReadyFields = Record<string, unknown>;

export class EventPresenter {
  readonly json: boolean;
  readonly #output: Output;
  /** Of each of the manager's connections, the state that was said last. */
  readonly #said = new Map<string, { state: string; why: string }>();

  constructor(output: Output, json: boolean) {
    this.#output = output;
    this.json = json;
  }

  get verbose(): boolean {
    return this.#output.verbose;
  }

  /** The first line: what a script waits for. `lines` are for people, and go to stdout: they are the answer. */
  ready(fields: ReadyFields, lines: readonly string[]): void {
    if (this.json) this.#output.json({ event: 'ready', time: new Date().toISOString(), ...fields });
    else for (const line of lines) this.#output.answer(line);
  }

  /** As `ready`, for answers whose point is a secret. */
  readyWithSecrets(fields: ReadyFields, lines: readonly string[]): void {
    if (this.json)
      this.#output.jsonWithSecrets({ event: 'ready', time: new Date().toISOString(), ...fields });
    else for (const line of lines) this.#output.answerWithSecrets(line);
  }

  readonly onEvent: TunnelEventHandler = (event) => {
    if (this.json) return this.#output.json(toJson(event));
    const line = this.#describe(event);
    if (line !== undefined) this.#output.say(this.#timed(event.time, line));
  };

  #timed(time: string, line: string): string {
    return `${this.#output.paint.dim(time.slice(11, 19))} ${line}`;
  }

  /** An event of the emulator, with its line for people. */
  emulator(event: EmulatorEvent, line: string): void {
    if (this.json) this.#output.json(event);
    else this.#output.say(this.#timed(event.time, line));
  }

  /** A line of the manager's log; people see changes of state, and not each attempt that ends as the one before. */
  manager(event: EventView): void {
    if (this.json) return this.#output.json(event);
    if (event.event !== 'state') return;
    const { reason } = event as { reason?: { message: string } };
    const why = reason === undefined ? '' : `: ${reason.message}`;
    const id = String(event.id);
    const state = String(event['state']);
    const last = this.#said.get(id);
    if (last?.state === state && last.why === why) return;
    if (state === 'connecting' && last?.state === 'waiting') return;
    if (state === 'stopped') this.#said.delete(id);
    else this.#said.set(id, { state, why });
    this.#output.say(this.#timed(event.time, `${id} ${state}${why}`));
  }

  /** What happens besides: only for people. */
  say(text: string): void {
    if (!this.json) this.#output.say(text);
  }

  #describe(event: TunnelEvent): string | undefined {
    const { paint, verbose } = this.#output;
    const id = 'stream' in event && event.stream ? paint.dim(event.stream.slice(0, 8)) : '';
    switch (event.event) {
      case 'connecting':
        return verbose ? `connecting to ${event.connection}` : undefined;
      case 'online':
      case 'target-changed': {
        const name = event.event === 'online' ? paint.green('online') : paint.yellow('target');
        const warning = event.error === undefined ? '' : `: ${why(event.error)}`;
        return `${name} ${event.connection}${to(event.target)}${warning}`;
      }
      case 'reconnecting':
        return `${paint.yellow('offline')} ${event.connection}: ${why(event.error)}; next attempt in ${formatDuration(event.retryInMs)}`;
      case 'offline':
        return event.error === undefined ? `stopped ${event.connection}` : undefined;
      case 'token-renewed':
        return verbose ? `token renewed for ${event.connection}, good until ${event.expiresAt}` : undefined;
      case 'clock-skew':
        return Math.abs(event.skewMs) > CLOCK_SKEW_LIMIT_MS
          ? `${paint.yellow('clock')} of this machine differs from the relay's by ${formatDuration(Math.abs(event.skewMs))}`
          : `${paint.green('clock')} of this machine is right again`;
      case 'accepted':
        return `${id} open${to(event.target)}${from(event.remote)}`;
      case 'opening':
        return verbose ? `${id} opening${from(event.remote)}` : undefined;
      case 'opened':
        return `${id} open after ${event.setupMs} ms`;
      case 'rejected':
      case 'refused':
        return `${id} ${paint.red(event.event)}: ${why(event.error)}`;
      case 'request':
        return `${id} ${requestLine(event)}${event.error === undefined ? '' : `: ${why(event.error)}`}`;
      case 'datagrams-dropped':
        return `${id} ${paint.yellow('dropped')} ${event.count} datagrams of port ${event.port} (${event.reason})`.trim();
      case 'closed':
        return `${id} closed, ${event.bytesIn} bytes in, ${event.bytesOut} out${event.error === undefined ? '' : `: ${why(event.error)}`}`;
    }
  }
}

function toJson(event: TunnelEvent): object {
  const error = 'error' in event ? event.error : undefined;
  const rest = Object.fromEntries(Object.entries(event).filter(([name]) => name !== 'error'));
  if (error === undefined) return event.event === 'closed' ? { ...rest, reason: 'ended' } : rest;
  const { code, message, next } = toUserError(error);
  return { ...rest, reason: code, message, next };
}

function why(error: HcmError): string {
  return `${error.message.replace(/\.$/, '')} (${error.code}). ${remedyOf(error)}`;
}

/** As in the log of a web server. */
function requestLine(request: RequestServed): string {
  const { method = '?', path = '?', status = 'unanswered', bytesIn, bytesOut, durationMs } = request;
  return `${method} ${path} ${status} after ${formatDuration(durationMs)}, ${bytesIn} bytes in, ${bytesOut} out`;
}

function to(target: string | undefined): string {
  return target === undefined ? '' : ` -> ${target}`;
}

function from(remote: string | undefined): string {
  return remote === undefined ? '' : ` from ${remote}`;
}
