/**
 * Errors of Azure Resource Manager and its resource providers as ours. Providers disagree on where code and message
 * stand, and tell some cases apart only by their words: all of that is known here and nowhere else.
 */
import { HcmError, type ErrorCode, type ErrorDetails } from '../../protocol/errors.ts';
import { errorFromNetwork, nodeCode } from '../../protocol/network-errors.ts';

/** What Azure answered: the fields of an SDK's RestError that matter, and nothing that may hold a secret. */
export interface ArmFailure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** App Service writes its own errors with capital letters and gives 401 for a quota. */
  readonly fromAppService: boolean;
  readonly correlationId: string | undefined;
}

/** Azure's messages may go on for pages. */
const MESSAGE_MAX_CHARS = 600;

/** Codes of Azure that mean one thing whatever the status. In lower case. */
const BY_AZURE_CODE: Readonly<Record<string, ErrorCode>> = {
  subscriptionnotfound: 'HCM_RESOURCE_NOT_FOUND',
  invalidsubscriptionid: 'HCM_RESOURCE_NOT_FOUND',
  resourcegroupnotfound: 'HCM_RESOURCE_NOT_FOUND',
  resourcenotfound: 'HCM_RESOURCE_NOT_FOUND',
  parentresourcenotfound: 'HCM_RESOURCE_NOT_FOUND',
  authorizationfailed: 'HCM_AZURE_FORBIDDEN',
  linkedauthorizationfailed: 'HCM_AZURE_FORBIDDEN',
  missingsubscriptionregistration: 'HCM_PROVIDER_NOT_REGISTERED',
  subscriptionnotregistered: 'HCM_PROVIDER_NOT_REGISTERED',
  locationnotavailableforresourcetype: 'HCM_LOCATION_INVALID',
  locationnotavailableforresourcegroup: 'HCM_LOCATION_INVALID',
  noregisteredproviderfound: 'HCM_LOCATION_INVALID',
  invalidlocation: 'HCM_LOCATION_INVALID',
  namenotavailable: 'HCM_NAME_TAKEN',
  namespacealreadyexists: 'HCM_NAME_TAKEN',
};

/** Words that are the only sign of a case (azure-service-bus issue 269; azurerm PR 19165; azure-sdk-for-net 34671). */
const BY_WORDS: readonly (readonly [RegExp, ErrorCode])[] = [
  [/specified name is not available/i, 'HCM_NAME_TAKEN'],
  [/specified service namespace is invalid/i, 'HCM_NAME_INVALID'],
  [/is not active, its current state is|provisioning in transition/i, 'HCM_RESOURCE_CONFLICT'],
  [/another conflicting operation is in progress/i, 'HCM_RESOURCE_CONFLICT'],
  [/would exceed the allowed amount of \d+ connections/i, 'HCM_PLAN_LIMIT'],
];

/** What is said between what failed and Azure's own words, and whether waiting may help. */
const PHRASES: Partial<Record<ErrorCode, string>> = {
  HCM_AZURE_UNAUTHORIZED: 'Azure did not accept the sign-in',
  HCM_AZURE_FORBIDDEN: 'you may not do this',
  HCM_AZURE_THROTTLED: 'Azure asks to slow down',
  HCM_AZURE_UNAVAILABLE: 'Azure has a problem',
};
const RETRYABLE = new Set<ErrorCode>([
  'HCM_AZURE_THROTTLED',
  'HCM_AZURE_UNAVAILABLE',
  'HCM_RESOURCE_CONFLICT',
]);

/**
 * Whatever a call to Azure threw, as an HcmError; one that is ours already is passed on.
 * @param about what the call was for; it begins the message: `the namespace "x"`, `creating the namespace "x"`.
 * Its details: `status`, `azureCode`, `azureMessage`, `correlationId`, as far as Azure gave them.
 */
export function toArmError(error: unknown, about: string): HcmError {
  if (error instanceof HcmError) return error;
  const failure = readFailure(error);
  const subject = upperFirst(about);
  if (failure !== undefined) return errorOfAnswer(failure, about, error);
  if (!(error instanceof Error)) return new HcmError('HCM_UNEXPECTED', `${subject}: ${String(error)}`);
  if (error.name === 'AbortError') {
    return new HcmError('HCM_INTERRUPTED', `${subject}: interrupted.`, { cause: error });
  }
  if (nodeCode(error) === 'PARSE_ERROR') {
    return new HcmError('HCM_AZURE_UNAVAILABLE', `${subject}: the answer is no JSON.`, { cause: error });
  }
  const { hostname, port } = requestUrl(error);
  if (hostname === '')
    return new HcmError('HCM_UNEXPECTED', `${subject}: ${error.message}`, { cause: error });
  const network = errorFromNetwork(error, hostname, Number(port) || 443);
  return new HcmError(network.code, `${subject}: ${network.message}`, {
    ...{ retryable: network.retryable, details: network.details, cause: error },
  });
}

/** Azure's own words in an error that carries an answer; undefined for one of the network, of sign-in or of ours. */
export function readFailure(error: unknown): ArmFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { statusCode, code, response } = error as Error & RestErrorFields;
  const status = statusCode ?? response?.status;
  if (typeof status !== 'number') return undefined;
  // A 200 with broken JSON has a status, too, and is no refusal.
  if (status < 400 && code === 'PARSE_ERROR') return undefined;
  const body = bodyOf(response);
  const inner = isRecord(body?.['error']) ? body['error'] : undefined;
  const header = (name: string) => response?.headers?.get(name);
  const source = inner ?? body ?? {};
  const message = textOf(source['message']) ?? textOf(source['Message']) ?? '';
  return {
    status,
    code: textOf(source['code']) ?? textOf(source['Code']) ?? header('x-ms-error-code') ?? '',
    message: oneLine(message),
    fromAppService: inner === undefined && body !== undefined && 'Code' in body,
    correlationId: header('x-ms-correlation-request-id') ?? header('x-ms-request-id'),
  };
}

function errorOfAnswer(failure: ArmFailure, about: string, cause: unknown): HcmError {
  const code = codeOf(failure);
  const { status, message, correlationId } = failure;
  const phrase = PHRASES[code];
  const words = message === '' ? `Azure answered ${status}${failure.code && ` ${failure.code}`}` : message;
  const details: ErrorDetails = {
    status,
    ...(failure.code === '' ? {} : { azureCode: failure.code }),
    ...(message === '' ? {} : { azureMessage: message }),
    ...(correlationId === undefined ? {} : { correlationId }),
    ...nextFor(failure),
  };
  return new HcmError(
    code,
    `${upperFirst(about)}: ${phrase === undefined ? '' : `${phrase}. `}${withDot(words)}`,
    {
      ...{ retryable: RETRYABLE.has(code), details, cause },
    },
  );
}

function codeOf({ status, code, message, fromAppService }: ArmFailure): ErrorCode {
  const known = BY_AZURE_CODE[code.toLowerCase()];
  if (known !== undefined) return known;
  const byWords = BY_WORDS.find(([pattern]) => pattern.test(message));
  if (byWords !== undefined) return byWords[1];
  if (status === 401) return fromAppService ? 'HCM_AZURE_REJECTED' : 'HCM_AZURE_UNAUTHORIZED';
  if (status === 403) return 'HCM_AZURE_FORBIDDEN';
  if (status === 404) return 'HCM_RESOURCE_NOT_FOUND';
  if (status === 409) return 'HCM_RESOURCE_CONFLICT';
  if (status === 429) return 'HCM_AZURE_THROTTLED';
  return status === 408 || status >= 500 ? 'HCM_AZURE_UNAVAILABLE' : 'HCM_AZURE_REJECTED';
}

/** The next command, where Azure's code says more than ours. */
function nextFor({ code }: ArmFailure): { next?: string } {
  switch (code.toLowerCase()) {
    case 'subscriptionnotfound':
    case 'invalidsubscriptionid':
      return { next: 'hcm account list' };
    case 'resourcegroupnotfound':
      return { next: 'az group list -o table' };
    case 'scopelocked':
      return { next: 'az lock list -o table' };
    default:
      return {};
  }
}

interface RestErrorFields {
  readonly statusCode?: number;
  readonly code?: string;
  readonly request?: { readonly url?: string };
  readonly response?: {
    readonly status?: number;
    readonly bodyAsText?: string | null;
    readonly headers?: { get(name: string): string | undefined };
  };
}

/** The body as it was sent: what the SDK makes of it depends on the SDK. */
function bodyOf(response: RestErrorFields['response']): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(response?.bodyAsText ?? '');
    return isRecord(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

function requestUrl(error: Error): { hostname: string; port: string } {
  const { request } = error as Error & RestErrorFields;
  return request?.url !== undefined && URL.canParse(request.url)
    ? new URL(request.url)
    : { hostname: '', port: '' };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > MESSAGE_MAX_CHARS ? `${line.slice(0, MESSAGE_MAX_CHARS - 3)}...` : line;
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function withDot(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
