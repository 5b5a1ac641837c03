/** A response that was given up: as an error of ours, and as what the sender is told of it. */
import { HcmError } from '../../protocol/errors.ts';
import { rejectionFor, type Rejection } from '../../protocol/rejections.ts';

export function asResponseError(error: Error | undefined): HcmError {
  if (error instanceof HcmError) return error;
  const text = `The response broke off${error ? `: ${error.message}` : ''}`;
  return new HcmError('HCM_RESPONSE_INVALID', text, { cause: error });
}

/** What the sender is told of a response that was given up. The text of a handler's own error is not for senders. */
export function rejectionOf(error: Error | undefined): Rejection {
  const rejection = error instanceof HcmError ? rejectionFor(error.code, error.message) : undefined;
  const isForSenders = rejection && error instanceof HcmError && rejection.description.includes(error.code);
  return isForSenders
    ? rejection
    : rejectionFor('HCM_RESPONSE_INVALID', 'it broke off before anything was sent');
}
