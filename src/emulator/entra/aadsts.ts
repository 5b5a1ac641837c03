/**
 * The token endpoint's errors: number -> OAuth error and sentence, in the words of Microsoft Entra ID (its page of error codes,
 * and answers quoted in issues). Clients switch on `error`, people search for the number.
 */
import { randomUUID } from 'node:crypto';

interface Meaning {
  readonly error: string;
  /** `{0}`, `{1}`: what the error is about. */
  readonly sentence: string;
  readonly suberror?: string;
}

const MEANINGS = {
  50011: {
    error: 'invalid_request',
    sentence: "The redirect URI '{0}' specified in the request is not one of this machine.",
  },
  50020: { error: 'invalid_grant', sentence: "User account '{0}' does not exist in tenant 'Local'." },
  50027: { error: 'invalid_client', sentence: 'JWT token is invalid or malformed.' },
  50076: {
    error: 'interaction_required',
    sentence:
      'Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource.',
    suberror: 'basic_action',
  },
  50173: {
    error: 'invalid_grant',
    sentence:
      'The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.',
    suberror: 'bad_token',
  },
  53003: {
    error: 'access_denied',
    sentence:
      'Access has been blocked by Conditional Access policies. Without a secret, the emulator signs in clients of its own machine only.',
    suberror: 'message_only',
  },
  54005: {
    error: 'invalid_grant',
    sentence:
      'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.',
  },
  65001: {
    error: 'invalid_grant',
    sentence: 'The user or administrator has not consented to use the application.',
    suberror: 'consent_required',
  },
  70000: { error: 'invalid_grant', sentence: "The provided value for the '{0}' parameter is not valid." },
  70003: { error: 'unsupported_grant_type', sentence: "The app requested an unsupported grant type '{0}'." },
  70008: {
    error: 'invalid_grant',
    sentence:
      'The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.',
  },
  70011: {
    error: 'invalid_scope',
    sentence:
      "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {0} is not valid.",
  },
  70016: {
    error: 'authorization_pending',
    sentence: 'OAuth 2.0 device flow error. Authorization is pending. Continue polling.',
  },
  70017: { error: 'authorization_declined', sentence: 'The person declined the sign-in of this device.' },
  70020: {
    error: 'expired_token',
    sentence:
      "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
  },
  90002: {
    error: 'invalid_request',
    sentence:
      "Tenant '{0}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
  },
  90014: {
    error: 'invalid_request',
    sentence: "The required field '{0}' is missing from the credential.",
  },
  90023: { error: 'invalid_request', sentence: "The value of the parameter '{0}' is not valid." },
  500011: {
    error: 'invalid_resource',
    sentence: 'The resource principal named {0} was not found in the tenant named Local.',
  },
  500112: {
    error: 'invalid_client',
    sentence:
      "The reply address '{0}' does not match the reply address '{1}' provided when requesting Authorization code.",
  },
  501481: {
    error: 'invalid_grant',
    sentence: 'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
  },
  700016: {
    error: 'unauthorized_client',
    sentence:
      "Application with identifier '{0}' was not found in the directory 'Local'. You may have sent your authentication request to the wrong tenant.",
  },
  700024: {
    error: 'invalid_client',
    sentence: 'Client assertion is not within its valid time range.',
  },
  700027: {
    error: 'invalid_client',
    sentence:
      'The certificate with identifier used to sign the client assertion is not registered on application.',
  },
  700030: { error: 'invalid_client', sentence: 'Client assertion failed signature validation.' },
  700082: {
    error: 'invalid_grant',
    sentence: 'The refresh token has expired due to inactivity.',
  },
  700212: {
    error: 'invalid_client',
    sentence: "No matching federated identity record found for presented assertion audience '{0}'.",
  },
  700213: {
    error: 'invalid_client',
    sentence: "No matching federated identity record found for presented assertion subject '{0}'.",
  },
  900144: {
    error: 'invalid_request',
    sentence: "The request body must contain the following parameter: '{0}'.",
  },
  900561: {
    error: 'invalid_request',
    sentence: 'The endpoint only accepts {0} requests. Received a {1} request.',
  },
  1002012: {
    error: 'invalid_scope',
    sentence:
      'The provided value for scope {0} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).',
  },
  7000215: {
    error: 'invalid_client',
    sentence:
      "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{0}'.",
  },
  7000218: {
    error: 'invalid_client',
    sentence: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  },
} as const satisfies Record<number, Meaning>;

export type AadstsNumber = keyof typeof MEANINGS;

const MFA_CLAIMS = JSON.stringify({ access_token: { acrs: { essential: true, value: 'p1' } } });

/** A refusal of the token endpoint. */
export class AadstsError extends Error {
  readonly number: number;
  readonly error: string;
  readonly status: number;
  readonly #suberror: string | undefined;

  /** @param about fills the gaps of the sentence. */
  constructor(number: AadstsNumber, ...about: string[]) {
    const meaning: Meaning = MEANINGS[number];
    const sentence = meaning.sentence.replace(/\{(\d)\}/g, (_, at: string) => about[Number(at)] ?? '');
    super(`AADSTS${number}: ${sentence}`);
    this.number = number;
    this.error = meaning.error;
    this.status = meaning.error === 'invalid_client' ? 401 : 400;
    this.#suberror = meaning.suberror;
  }

  /** The JSON of the answer. */
  body(nowMs: number, correlationId: string, baseUrl: string): Record<string, unknown> {
    const traceId = randomUUID();
    const timestamp = `${new Date(nowMs).toISOString().slice(0, 19).replace('T', ' ')}Z`;
    return {
      error: this.error,
      error_description: `${this.message} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
      error_codes: [this.number],
      timestamp,
      ...{ trace_id: traceId, correlation_id: correlationId },
      error_uri: `${baseUrl}/common/error?code=${this.number}`,
      ...(this.#suberror === undefined ? {} : { suberror: this.#suberror }),
      ...(this.number === 50076 ? { claims: MFA_CLAIMS } : {}),
    };
  }
}
