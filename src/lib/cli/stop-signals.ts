/** The signals that stop a command, and what they do before it has begun. */

/** SIGHUP only on Windows (a closed console): elsewhere a closed terminal ends the program at once, as it ends others. */
export const STOP_SIGNALS: readonly NodeJS.Signals[] =
  process.platform === 'win32' ? ['SIGINT', 'SIGBREAK', 'SIGHUP'] : ['SIGINT', 'SIGTERM'];

/** Ends a long-running command that has not begun: nothing is open, so it is drained. `untilStopped` takes over. */
export function endAtOnce(): void {
  process.exit(0);
}
