/** A check for integration tests: what they opened is closed, and what they timed has fired or been taken back. */
import { turn, until } from './until.ts';

const WATCHED = /^(TCP|TLS|Pipe|HTTP|Timeout)/;

function watched(): string[] {
  return process.getActiveResourcesInfo().filter((name) => WATCHED.test(name));
}

/**
 * To be called first inside `describe`: notes the sockets and timers before each test, and fails it when more are
 * left after it and its own `afterEach`. It waits for what is being closed.
 */
export function expectNothingLeft(): void {
  let noted: string[] = [];
  beforeEach(async () => {
    await turn(); // from here on the hook's own time limit is among the timers, as it is in afterEach
    noted = watched();
  });
  // Added late, so that it runs behind the hooks that close things.
  before(function () {
    this.test?.parent?.afterEach('leaves nothing behind', async () => {
      try {
        await until(() => excess(noted).length === 0, 'the end of all sockets and timers', 1_500);
      } catch {
        throw new Error(`left over: ${excess(noted).join(', ')}`);
      }
    });
  });
}

function excess(noted: readonly string[]): string[] {
  const known = [...noted];
  return watched().filter((name) => {
    const at = known.indexOf(name);
    if (at >= 0) known.splice(at, 1);
    return at < 0;
  });
}
