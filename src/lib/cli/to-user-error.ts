/**
 * From whatever was thrown to what a user may see. An allow-list: only the fields of UserError leave, every text is
 * redacted, and no cause, stack or argv is among them.
 */
import { HcmError, type ErrorCode } from '../../protocol/errors.ts';
import { redact } from '../../protocol/redact.ts';
import { ERROR_TABLE, EXIT, remedyOf } from '../error-table.ts';

/** What the relay, Resource Manager or Entra ID itself said. */
export interface AzureError {
  status?: number;
  /** `AuthorizationFailed`, `AADSTS7000215`: Resource Manager's and Entra ID's own. */
  code?: string;
  message?: string;
  /** The relay's name of the request, for support. */
  trackingId?: string;
  /** Resource Manager's and Entra ID's. */
  correlationId?: string;
}

export interface UserError {
  code: ErrorCode;
  message: string;
  exitStatus: number;
  /** The command to type, or the thing to look at. */
  next: string;
  azure?: AzureError;
}

const LEAST_ERROR_STATUS = 400;

export function toUserError(error: unknown): UserError {
  const known = toHcmError(error);
  const azure = azureErrorOf(known);
  return {
    code: known.code,
    message: redact(withoutOclifFrame(known.message)),
    exitStatus: exitStatusOf(known),
    next: redact(remedyOf(known)),
    ...(azure === undefined ? {} : { azure }),
  };
}

function exitStatusOf({ code, details }: HcmError): number {
  return code === 'HCM_INTERRUPTED' && details['signal'] === 'SIGTERM'
    ? EXIT.terminated
    : ERROR_TABLE[code].exitStatus;
}

/** Where docs/errors.md explains a code. */
export function docsLink(code: ErrorCode): string {
  return `docs/errors.md#${code.toLowerCase()}`;
}

function toHcmError(error: unknown): HcmError {
  if (error instanceof HcmError) return error;
  if (isOclifError(error)) return new HcmError('HCM_USAGE', error.message);
  const { code, syscall, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EROFS') {
    return new HcmError('HCM_STATE_UNWRITABLE', `Writing failed: ${message}`, { details: { seen: code } });
  }
  if (code === 'EADDRINUSE' && syscall === 'listen') return new HcmError('HCM_PORT_IN_USE', message);
  return new HcmError('HCM_UNEXPECTED', `Something went wrong inside hcm: ${message ?? String(error)}`);
}

/** oclif marks its own errors, which are about argv; its classes are not imported, to keep this file light. */
function isOclifError(error: unknown): error is Error {
  return error instanceof Error && 'oclif' in error;
}

/** oclif wraps messages of flag parsers: `Parsing --flag \n\tMESSAGE\nSee more help with --help`. */
function withoutOclifFrame(message: string): string {
  return message
    .replace(/\n?See more help with --help/g, '')
    .replace(/^Parsing (--\S+)\s+/, '$1: ')
    .trim();
}

function azureErrorOf({ details }: HcmError): AzureError | undefined {
  // What a proxy answers is no word of Azure.
  if (details['proxy'] !== undefined) return undefined;
  const { status, azureCode, reason, azureMessage = reason, trackingId, correlationId } = details;
  // Below 400 nothing was refused: what is wrong then is ours to say.
  const refused = typeof status === 'number' && status >= LEAST_ERROR_STATUS;
  if (!refused && azureCode === undefined) return undefined;
  return {
    ...(refused ? { status } : {}),
    ...(typeof azureCode === 'string' ? { code: azureCode } : {}),
    ...(typeof azureMessage === 'string' && azureMessage !== '' ? { message: redact(azureMessage) } : {}),
    ...(typeof trackingId === 'string' ? { trackingId } : {}),
    ...(typeof correlationId === 'string' ? { correlationId } : {}),
  };
}
