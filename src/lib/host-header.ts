/** The Host header that somebody chose for requests to an HTTP target. */

/** Why it cannot be one; undefined when it can: `original`, HOST or HOST:PORT (RFC 9110, 7.2). */
export function hostHeaderFault(text: string): string | undefined {
  return /^(?:\[[0-9a-f:.]+\]|[0-9a-z._-]+)(?::\d{1,5})?$/i.test(text)
    ? undefined
    : 'expected original, HOST or HOST:PORT';
}
