/** The relay's own answers to HTTP requests: the explanation in the reason phrase and as JSON, and never a `Via`. */
import type { ServerResponse } from 'node:http';
import { relayAnswer, type RelayCondition } from '../../../protocol/relay-answers.ts';
import { sendJson } from '../../server/http-body.ts';
import type { HttpRequest } from '../../server/http-request.ts';
import type { RelayContext } from '../context.ts';

/** Answers with the error that a condition means; `detail` says more. */
export function refuseRequest(
  context: RelayContext,
  request: HttpRequest,
  response: ServerResponse,
  condition: RelayCondition,
  detail?: string,
): void {
  const { status, errorName } = relayAnswer(condition, context.behaviour.statuses);
  const reason = request.reason(context, condition, detail);
  refuseRequestWith(context, request, response, errorName, { status, reason });
}

export function refuseRequestWith(
  context: RelayContext,
  request: HttpRequest,
  response: ServerResponse,
  code: string,
  { status, reason }: { status: number; reason: string },
): void {
  request.settleBody(response);
  sendJson(response, status, { error: { code, message: reason } }, reason);
  const connection = request.path;
  context.emit({ event: 'refused', action: 'http', connection, status, reason, remote: request.from });
}
