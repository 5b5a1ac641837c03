/**
 * Tracking ids and the reason phrases that carry them. The relay speaks to clients through the reason phrase of
 * its handshake answers: a sentence, then the tracking id, the entity and the time.
 */

/** Longest reason phrase we write: far below the 16 KiB of headers that Node's parser takes. Our choice. */
const REASON_MAX_CHARS = 1024;

/** The id as one gateway passes it on: the service appends `_G<n>` for each gateway on the way. */
export function trackingId(id: string, gateway: number): string {
  return `${id}_G${gateway}`;
}

/** The id as its owner chose it: without `_G<n>` and what follows (.NET client TrackingContext). */
export function stripGateway(id: string): string {
  return id.replace(/_G\d+.*$/s, '');
}

export interface ReasonParts {
  /** What happened; a final dot is not doubled. */
  readonly sentence: string;
  readonly trackingId: string;
  /** The host that the client asked for. */
  readonly host: string;
  /** The path of the entity, without a slash in front. */
  readonly path: string;
  /** Milliseconds since 1970, or a Date. */
  readonly now: number | Date;
}

/** `<sentence>. TrackingId:<id>, SystemTracker:sb://<host>/<path>, Timestamp:<yyyy-MM-ddTHH:mm:ss>` (UTC). */
export function reasonPhrase(parts: ReasonParts): string {
  const sentence = parts.sentence.replace(/\.\s*$/, '');
  const timestamp = new Date(parts.now).toISOString().slice(0, 19);
  return sanitizeReason(
    `${sentence}. TrackingId:${parts.trackingId}, SystemTracker:sb://${parts.host}/${parts.path}, Timestamp:${timestamp}`,
  );
}

/**
 * Makes text fit for a status line: control characters (line breaks above all) become a space, what Latin-1 cannot
 * hold becomes `?`, and the length is bounded.
 */
export function sanitizeReason(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .replace(/[^\u0000-\u00ff]/gu, '?')
    .slice(0, REASON_MAX_CHARS)
    .trim();
}
