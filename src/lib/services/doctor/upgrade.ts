/**
 * Proof: a request to become a WebSocket reaches the relay as one. Boxes on the way that know only HTTP cut the headers
 * off that ask for it, or answer themselves.
 */
import { HcmError } from '../../../protocol/errors.ts';
import { RELAY_HEADERS } from '../../../protocol/headers.ts';
import { redact } from '../../../protocol/redact.ts';
import { codeFromWords } from '../../../protocol/relay-status.ts';
import { asHcmError } from '../../../tunnel/emitter.ts';
import type { UpgradeAnswer } from '../../../websocket/handshake.ts';
import { headerValues } from '../../../websocket/http-head.ts';
import type { Case } from './proof.ts';
import { failed, ok, type Finding } from './report.ts';

export async function proveUpgrade({ way }: Case): Promise<Finding> {
  const { answer, answerError } = await way.greeted();
  if (answer === undefined) {
    const { code, message } = asHcmError(answerError);
    const text = `${way.host} gave no answer to the request for a WebSocket: ${message}`;
    return failed(
      new HcmError(code === 'HCM_UNEXPECTED' ? 'HCM_HANDSHAKE_FAILED' : code, text, { retryable: true }),
    );
  }
  const { status } = answer;
  const reason = redact(answer.reason).slice(0, 200);
  const via = headerValues(answer.rawHeaders, 'Via')
    .concat(headerValues(answer.rawHeaders, 'Server'))
    .join(', ');
  const facts = { status, reason, ...(via === '' ? {} : { via }) };
  const said = `${status}${reason === '' ? '' : ` ${reason}`}`;
  const fault = (text: string, cause: string) =>
    failed(
      new HcmError('HCM_HANDSHAKE_FAILED', text, {
        details: {
          host: way.host,
          next: 'Let WebSockets to the relay pass the proxy or firewall untouched; try --proxy off',
        },
      }),
      cause,
      facts,
    );
  const seenBy = via === '' ? '' : ` (seen on the way: ${via})`;
  if (hasLostUpgrade(answer)) {
    return fault(
      `The relay got the request for a WebSocket as a plain request: ${said}${seenBy}`,
      'A proxy or firewall on the way cuts off the header "Upgrade".',
    );
  }
  if (!isRelays(answer)) {
    return fault(
      `Not the relay answered, but something on the way: ${said}${seenBy}`,
      'A proxy or firewall on the way answers WebSockets itself.',
    );
  }
  return ok(`a request for a WebSocket reaches the relay (without a token it says ${status})`, facts);
}

/**
 * To a request without the headers of a WebSocket the service says `400 This endpoint is only for web-socket requests`
 * (azure-relay-dotnet, issue 135), and to one with them, but without a token, 401. 426 is RFC 9110's word for it.
 */
function hasLostUpgrade({ status }: UpgradeAnswer): boolean {
  return status === 400 || status === 426;
}

/** A relay names the request in its reason, or in a header; a 401 alone is what it must say here. */
function isRelays({ status, reason, rawHeaders }: UpgradeAnswer): boolean {
  if (/TrackingId:|SystemTracker:/i.test(reason) || codeFromWords(reason) !== undefined) return true;
  return headerValues(rawHeaders, RELAY_HEADERS.trackingId).length > 0 || status === 401;
}
