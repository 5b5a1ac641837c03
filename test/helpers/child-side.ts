/** What a child process of a test does for its parent: says that it is ready, tells its memory, dies with it. */

export function serveParent(ready: object): void {
  process.stdin.on('data', () => say({ residentBytes: process.memoryUsage.rss() }));
  process.stdin.on('end', () => process.exit());
  say(ready);
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
