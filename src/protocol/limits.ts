/**
 * The numbers of Azure Relay Hybrid Connections: sizes, times and counts, each with where it comes from.
 * Nothing here acts; whoever enforces a number imports it, and makes it an option where the source is doubtful.
 */

// Sizes.

/** Largest JSON control message: the .NET listener reads each into a fixed 64 KiB buffer. */
export const CONTROL_MESSAGE_MAX_BYTES = 65_536;
/** Largest total of header names and values of one request or response (Microsoft's protocol guide: "32 kB"). */
export const HEADERS_MAX_BYTES = 32_768;
/** Largest body of an HTTP request or response beside its JSON message; larger ones need a rendezvous (both clients). */
export const INLINE_BODY_MAX_BYTES = 65_536;
/** Longest close reason: a control frame holds 125 bytes and the code takes two (RFC 6455, 5.5). */
export const CLOSE_REASON_MAX_BYTES = 123;
/** Longest userMetadata of an entity (the service's HybridConnectionDescription). */
export const USER_METADATA_MAX_CHARS = 1024;
/** Longest entity name (Azure Resource Manager's rule for hybrid connections). */
export const ENTITY_NAME_MAX_CHARS = 260;
/** Longest name and value of a shared access key (.NET client's SharedAccessSignatureTokenProvider). */
export const KEY_NAME_MAX_CHARS = 256;
export const KEY_MAX_CHARS = 256;

// Counts.

/** Listeners on one hybrid connection (Azure Relay FAQ). */
export const MAX_LISTENERS = 25;

// Times.

/** How long a rendezvous address can be used (Microsoft's protocol guide: "about 30 seconds"). */
export const RENDEZVOUS_LIFETIME_MS = 30_000;
/** From an HTTP request to the listener's response, then between two pieces of a body (Microsoft's protocol guide). */
export const RESPONSE_TIMEOUT_MS = 60_000;
export const BODY_IDLE_MS = 60_000;
/** How long past its expiry a token keeps an open control channel alive: observed cut at 65 min of a 60 min token. */
export const TOKEN_GRACE_MS = 300_000;
/** Life of a token that a client mints (both Microsoft clients: one hour). */
export const TOKEN_LIFETIME_MS = 3_600_000;
/** Part of a token's life after which our listener renews it. Our choice: leaves a quarter of an hour to retry. */
export const TOKEN_RENEW_FRACTION = 0.75;
/** Difference of two clocks that spoils tokens: as large as the grace that the service gives. */
export const CLOCK_SKEW_LIMIT_MS = 300_000;
/**
 * Pause between two keep-alive pings, and the time for the answer. Our choice, well under the 4 min to 4 min 15 s
 * after which idle sockets were seen cut without a close frame (azure-relay issue 33).
 */
export const KEEPALIVE_INTERVAL_MS = 30_000;
export const KEEPALIVE_TIMEOUT_MS = 10_000;
/** Time to finish an operation when a connection string has no OperationTimeout (.NET client: one minute). */
export const OPERATION_TIMEOUT_MS = 60_000;
