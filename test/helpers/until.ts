/** Waiting for a condition without sleeping: it is looked at again in each turn of the event loop. */

/** Resolves as soon as `condition` holds; rejects, naming `what`, when it does not within `timeoutMs`. */
export async function until(
  condition: () => boolean,
  what = 'the condition',
  timeoutMs = 5_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what} did not come true within ${timeoutMs} ms`);
    await turn();
  }
}

/** One turn of the event loop: everything that is ready now has run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Several turns: for asserting that something does not happen. */
export async function turns(count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) await turn();
}
