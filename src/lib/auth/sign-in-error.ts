/**
 * What a failed sign-in means: sign in again (a person has to act), or what was given is wrong. The SDK and the az CLI
 * tell most cases apart by their words alone; all that knowledge is here.
 */
import { HcmError, type ErrorCode } from '../../protocol/errors.ts';
import type { AuthMethod } from './account.ts';
import type { Cloud } from './cloud.ts';

export interface SignInAttempt {
  cloud: Cloud;
  method: AuthMethod;
  tenantId?: string | undefined;
  clientId?: string | undefined;
  /** Why the last request did not get through, if it did not. */
  failure?: HcmError | undefined;
  /** What Entra ID said when it last refused something. */
  refusal?: string | undefined;
  /** What Azure asked for on top, as JSON. */
  claims?: string | undefined;
}

/** Entra ID's error numbers that a person can answer by signing in (learn.microsoft.com, "Microsoft Entra error codes"). */
const ASK_AGAIN = new Set([
  ...['16000', '50058', '50076', '50078', '50079', '50132', '50133', '50158', '50173', '65001'],
  ...['70008', '70043', '70044', '135010', '500133', '700081', '700082', '700084'],
]);
const SECRET_WRONG = new Set(['7000215', '7000222']);
const BY_VARIABLES = new Set<AuthMethod>(['env', 'workload', 'github', 'pipelines']);
/** MSAL's word for an authority that answered, and had no such tenant. */
const TENANT_UNKNOWN = 'endpoints_resolution_error';
const TEXT_MAX_CHARS = 400;

/** Any error of a credential as ours. An abort by the caller is passed on. */
export function toSignInError(error: unknown, attempt: SignInAttempt): Error {
  if (error instanceof HcmError) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === 'AbortError') return error as Error;
  const { method, failure } = attempt;
  if (method === 'cli') return errorOfAz(message, attempt, error);
  if (method === 'managed') return noIdentity(message, attempt, error);
  if (failure !== undefined) return failure;
  const entra = readEntraError(message) ?? readEntraError(attempt.refusal ?? '');
  if (entra !== undefined) return errorOfEntra(entra, attempt, error);
  if (message.includes(TENANT_UNKNOWN) && attempt.tenantId !== undefined) {
    return new HcmError(
      'HCM_SIGN_IN_FAILED',
      `There is no tenant ${attempt.tenantId} at ${attempt.cloud.authority}.`,
      {
        details: { next: 'Check --tenant and AZURE_TENANT_ID, and the cloud: hcm cloud list' },
        cause: error,
      },
    );
  }
  if (isForPeople(method) && name === 'AuthenticationRequiredError') {
    return new HcmError(
      'HCM_SIGN_IN_REQUIRED',
      `You are not signed in to ${attempt.cloud.name}${attempt.claims === undefined ? ', or no longer' : ' as Azure asks for it now'}.`,
      { details: { next: loginCommand(attempt) }, cause: error },
    );
  }
  return failed(attempt, shorten(message), error);
}

interface EntraError {
  /** `AADSTS7000215`. */
  code: string;
  number: string;
  text: string;
  correlationId: string | undefined;
}

/** `AADSTS700016: … Trace ID: … Correlation ID: … Timestamp: …`, wherever it stands in the text. */
function readEntraError(text: string): EntraError | undefined {
  const found = /AADSTS(\d+):?\s*(.*?)(?:\s*Trace ID:|$)/is.exec(text);
  if (found === null) return undefined;
  const [, number = '', words = ''] = found;
  const correlationId = /Correlation ID:\s*([0-9a-f-]{36})/i.exec(text)?.[1];
  return { code: `AADSTS${number}`, number, text: shorten(words), correlationId };
}

function errorOfEntra(entra: EntraError, attempt: SignInAttempt, cause: unknown): HcmError {
  const { code, number, text, correlationId } = entra;
  const { method, cloud, tenantId, clientId } = attempt;
  const again = ASK_AGAIN.has(number) && (isForPeople(method) || method === 'cli');
  const who = clientId === undefined ? '' : ` of the app ${clientId}`;
  const where = tenantId === undefined ? cloud.name : `the tenant ${tenantId}`;
  const details = {
    ...{ azureCode: code, azureMessage: text },
    ...(correlationId === undefined ? {} : { correlationId }),
    next: nextFor(entra, attempt),
  };
  return new HcmError(
    again ? 'HCM_SIGN_IN_REQUIRED' : 'HCM_SIGN_IN_FAILED',
    `The sign-in${who} to ${where} was refused: ${withDot(text)} (${code})`,
    { details, cause },
  );
}

function nextFor({ number }: EntraError, attempt: SignInAttempt): string {
  const { method } = attempt;
  if (SECRET_WRONG.has(number)) {
    return method === 'env'
      ? 'Set AZURE_CLIENT_SECRET to the value (not the id) of a client secret that has not expired'
      : method === 'local'
        ? 'Start the emulator again: hcm emulator start'
        : 'hcm login --service-principal with the value (not the id) of a client secret that has not expired';
  }
  if (number === '90002') return 'Check --tenant and AZURE_TENANT_ID, and the cloud: hcm cloud list';
  return BY_VARIABLES.has(method)
    ? `Check the variables that "${method}" reads; see docs/sign-in.md`
    : loginCommand(attempt);
}

/** The az CLI's own errors; the SDK passes on what it wrote to stderr. */
function errorOfAz(message: string, attempt: SignInAttempt, cause: unknown): HcmError {
  const required = (text: string, next: string) =>
    new HcmError('HCM_SIGN_IN_REQUIRED', text, { details: { next }, cause });
  if (attempt.claims !== undefined) {
    return required(
      'Azure asks for more than the sign-in of the az CLI has shown (a claims challenge).',
      `${loginCommand(attempt)} --claims-challenge ${encodeClaims(attempt.claims)} --scope ${attempt.cloud.armScope}`,
    );
  }
  if (/could not be found/i.test(message)) {
    return required(
      'You are not signed in, and there is no az CLI whose sign-in could be used.',
      'hcm login --device-code; or without an account: hcm emulator start, and --cloud local',
    );
  }
  const entra = readEntraError(message);
  if (entra !== undefined) return errorOfEntra(entra, attempt, cause);
  if (/please run 'az login'|az login/i.test(message)) {
    return required('The az CLI is not signed in.', loginCommand(attempt));
  }
  const line = /^ERROR:\s*(.*)$/im.exec(message)?.[1] ?? message;
  return failed(attempt, `az says: ${shorten(line)}`, cause);
}

/** As az takes them; with spaces, since without them they look like a token and would be masked in the output. */
function encodeClaims(claims: string): string {
  return Buffer.from(claims.replaceAll('{"', '{ "')).toString('base64');
}

/** Where there is no identity, its endpoint cannot be reached or knows none. */
function noIdentity(message: string, { failure, clientId }: SignInAttempt, cause: unknown): HcmError {
  const seen = failure?.message ?? shorten(message.replace(/^ManagedIdentityCredential:\s*/, ''));
  const which = clientId === undefined ? '' : ` ${clientId}`;
  return new HcmError('HCM_SIGN_IN_FAILED', `The managed identity${which} gave no token: ${withDot(seen)}`, {
    details: { next: 'Give this machine an identity, or sign in another way: hcm login --help' },
    cause,
  });
}

function failed({ cloud, method }: SignInAttempt, text: string, cause: unknown): HcmError {
  const code: ErrorCode = 'HCM_SIGN_IN_FAILED';
  return new HcmError(code, `Signing in to ${cloud.name} (${method}) failed: ${withDot(text)}`, { cause });
}

function isForPeople(method: AuthMethod): boolean {
  return method === 'device' || method === 'browser';
}

function loginCommand({ method, tenantId, cloud }: SignInAttempt): string {
  const tenant = tenantId === undefined ? '' : ` --tenant ${tenantId}`;
  if (method === 'cli') return `az login${tenant}`;
  const flag = { device: ' --device-code', browser: ' --browser' }[method as string] ?? '';
  return `hcm login${flag}${tenant}${cloud.name === 'public' ? '' : ` --cloud ${cloud.name}`}`;
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > TEXT_MAX_CHARS ? `${line.slice(0, TEXT_MAX_CHARS - 3)}...` : line;
}

function withDot(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
