/**
 * The errors of hcm: one class, one table of stable codes. Decisions switch on `code`, never on text.
 * The exit status that belongs to a code is a matter of the command line (lib/cli/to-user-error).
 */

/** Every stable error code. docs/errors.md explains each one; a test compares the two. */
export const ERROR_CODES = [
  // Input: what the user gave cannot be used.
  'HCM_CONNECTION_STRING_INVALID',
  'HCM_CONNECTION_INVALID',
  'HCM_TARGET_INVALID',
  'HCM_TARGET_MISSING',
  'HCM_ALLOW_INVALID',
  'HCM_BIND_INVALID',
  'HCM_PORT_IN_USE',
  'HCM_BIND_FAILED',
  'HCM_PROXY_INVALID',
  'HCM_FILE_UNREADABLE',
  'HCM_USAGE',
  // Local machine and state.
  'HCM_STATE_LOCKED',
  'HCM_STATE_CORRUPT',
  'HCM_STATE_UNWRITABLE',
  'HCM_KEYCHAIN_UNAVAILABLE',
  'HCM_SECRET_MISSING',
  'HCM_SECRET_EXPOSED',
  'HCM_OUTPUT_FAILED',
  'HCM_UNEXPECTED',
  'HCM_NOT_RUNNING',
  'HCM_MANAGER_VERSION',
  'HCM_SERVICE_FAILED',
  'HCM_SERVICE_UNSUPPORTED',
  // The control plane: clouds, sign-in, Azure Resource Manager, hcm.yaml.
  'HCM_CLOUD_UNKNOWN',
  'HCM_CLOUD_INVALID',
  'HCM_NAME_INVALID',
  'HCM_LOCATION_INVALID',
  'HCM_CONFIG_INVALID',
  'HCM_VARIABLE_MISSING',
  'HCM_CONFIRMATION_NEEDED',
  'HCM_INPUT_NEEDED',
  'HCM_SUBSCRIPTION_MISSING',
  'HCM_SIGN_IN_REQUIRED',
  'HCM_SIGN_IN_FAILED',
  'HCM_AZURE_UNAUTHORIZED',
  'HCM_AZURE_FORBIDDEN',
  'HCM_AZURE_UNAVAILABLE',
  'HCM_AZURE_THROTTLED',
  'HCM_AZURE_REJECTED',
  'HCM_RESOURCE_NOT_FOUND',
  'HCM_RESOURCE_CONFLICT',
  'HCM_RESOURCE_AMBIGUOUS',
  'HCM_NAME_TAKEN',
  'HCM_PROVIDER_NOT_REGISTERED',
  'HCM_METADATA_INVALID',
  'HCM_PLAN_LIMIT',
  'HCM_PLAN_UNSUPPORTED',
  'HCM_OPERATION_FAILED',
  'HCM_INTERRUPTED',
  'HCM_WAIT_TIMEOUT',
  // Who you are, to the relay.
  'HCM_TOKEN_MISSING',
  'HCM_TOKEN_MALFORMED',
  'HCM_TOKEN_SIGNATURE',
  'HCM_TOKEN_EXPIRED',
  'HCM_TOKEN_AUDIENCE',
  'HCM_RIGHT_MISSING',
  'HCM_UNAUTHORIZED',
  'HCM_FORBIDDEN',
  'HCM_IP_NOT_ALLOWED',
  'HCM_CLOCK_SKEW',
  // The relay and the way to it.
  'HCM_DNS_FAILED',
  'HCM_CONNECT_REFUSED',
  'HCM_CONNECT_FAILED',
  'HCM_CONNECT_TIMEOUT',
  'HCM_TLS_UNTRUSTED',
  'HCM_TLS_FAILED',
  'HCM_PROXY_FAILED',
  'HCM_PROXY_AUTH_REQUIRED',
  'HCM_NO_LISTENER',
  'HCM_LISTENER_FILTERED',
  'HCM_LISTENER_TIMEOUT',
  'HCM_LISTENER_QUOTA',
  'HCM_QUOTA_EXCEEDED',
  'HCM_RELAY_BUSY',
  'HCM_RELAY_FAULT',
  'HCM_HANDSHAKE_FAILED',
  'HCM_RENDEZVOUS_EXPIRED',
  'HCM_ENTITY_NOT_FOUND',
  'HCM_ENTITY_CONFLICT',
  // The target and the listener's decision about it.
  'HCM_TARGET_REFUSED',
  'HCM_TARGET_UNRESOLVED',
  'HCM_TARGET_TIMEOUT',
  'HCM_TARGET_UNREACHABLE',
  'HCM_TARGET_NOT_ALLOWED',
  'HCM_LOGICAL_PORT_UNKNOWN',
  'HCM_LOGICAL_PORT_MODE',
  'HCM_DIALECT_MISMATCH',
  'HCM_HTTP_UNSERVED',
  'HCM_LISTENER_BUSY',
  'HCM_REJECTED',
  // One relayed HTTP request.
  'HCM_REQUEST_INVALID',
  'HCM_RESPONSE_INVALID',
  // An established stream or channel.
  'HCM_CONNECTION_LOST',
  'HCM_KEEPALIVE_TIMEOUT',
  'HCM_IDLE_TIMEOUT',
  'HCM_WEBSOCKET_PROTOCOL',
  'HCM_ABORTED',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** Facts about one error, safe to print: no secret may ever be put here. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

export interface HcmErrorOptions {
  /** True when the same attempt may succeed later without anybody changing anything. */
  retryable?: boolean;
  details?: ErrorDetails;
  cause?: unknown;
}

/** The one error class that crosses room boundaries. `message` says what failed and what was seen. */
export class HcmError extends Error {
  override readonly name = 'HcmError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: HcmErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}
