/**
 * A listener or a sender's local port in a process of its own. Argument:
 * `{"connectionString", "caPem", "target"}` for a listener, without `target` for a local port (prints its `port`);
 * `{"connectionString", "caPem", "stdio": true}` joins stdin and stdout with a stream.
 */
import { resolveConnection } from '../../src/protocol/connection-string.ts';
import type { Target } from '../../src/protocol/target.ts';
import { systemClock } from '../../src/tunnel/clock.ts';
import { HybridConnectionListener } from '../../src/tunnel/listener.ts';
import { startLocalPort } from '../../src/tunnel/local-port.ts';
import { Sender } from '../../src/tunnel/sender.ts';
import { forwardStdio } from '../../src/tunnel/stdio.ts';
import { sasKeyTokens } from '../../src/tunnel/token-provider.ts';
import { serveParent } from './child-side.ts';

export interface TunnelProcessArgument {
  connectionString: string;
  caPem: string;
  target?: Target;
  stdio?: boolean;
}

const { connectionString, caPem, target, stdio } = JSON.parse(process.argv[2] ?? '') as TunnelProcessArgument;
const { endpoint, path, credential } = resolveConnection({ connectionString });
if (credential.kind !== 'key') throw new Error('the connection string has no key');
const connection = { endpoint, path, tokens: sasKeyTokens(credential, systemClock) };
const options = { loopbackCa: caPem };

if (stdio) {
  const sender = new Sender(connection, options);
  const error = await forwardStdio(sender, { input: process.stdin, output: process.stdout });
  process.exitCode = error ? 4 : 0;
} else {
  serveParent(target ? await listen(target) : await forward());
}

async function listen(to: Target): Promise<object> {
  const listener = new HybridConnectionListener(connection, { ...options, target: to });
  listener.start();
  await listener.online();
  return {};
}

async function forward(): Promise<{ port: number }> {
  const port = await startLocalPort(
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    new Sender(connection, options),
  );
  return { port: Number(port.bind.split(':').at(-1)) };
}
