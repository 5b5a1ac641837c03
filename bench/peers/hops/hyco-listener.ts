/**
 * The hyco-ws listener: each accepted WebSocket is joined with a TCP connection to the target, by its messages and
 * with back-pressure both ways, as the samples of azure-relay-node do it (they have no stream of their own).
 */
import { createRequire } from 'node:module';
import net from 'node:net';
import { readConfig, sayReady } from './hop.ts';

export interface HycoListenerConfig {
  clientsDir: string;
  tls: boolean;
  relayPort: number;
  entityName: string;
  connectionString: string;
  targetPort: number;
}

/** The part of ws 1.1's socket that is used here. */
interface OldWebSocket {
  on(event: 'message', listener: (data: Buffer) => void): void;
  on(event: 'close' | 'error', listener: () => void): void;
  send(data: Buffer, options: { binary: boolean }, done: (error?: Error) => void): void;
  pause(): void;
  resume(): void;
  close(): void;
}

interface HycoWs {
  createRelayToken(uri: string, ruleName: string, key: string): string;
  createRelayedServer(
    options: { server: string; token: string },
    onConnection: (socket: OldWebSocket) => void,
  ): { on(event: 'listening' | 'error', listener: (error?: Error) => void): void };
}

const config = readConfig<HycoListenerConfig>();
const hyco = createRequire(`${config.clientsDir}/package.json`)('hyco-ws') as HycoWs;

function field(name: string): string {
  return new RegExp(`${name}=([^;]+)`).exec(config.connectionString)?.[1] ?? '';
}

function join(socket: OldWebSocket): void {
  const target = net.connect({ port: config.targetPort, host: '127.0.0.1', noDelay: true });
  socket.on('message', (data) => {
    if (!target.write(data)) socket.pause();
  });
  target.on('drain', () => socket.resume());
  target.on('data', (data) => {
    target.pause();
    socket.send(data, { binary: true }, () => target.resume());
  });
  target.on('end', () => socket.close());
  target.on('error', () => socket.close());
  socket.on('close', () => target.end());
  socket.on('error', () => target.destroy());
}

const host = `localhost:${config.relayPort}`;
const token = hyco.createRelayToken(
  `http://${host}/${config.entityName}`,
  field('SharedAccessKeyName'),
  field('SharedAccessKey'),
);
const path = `$hc/${config.entityName}?sb-hc-action=listen`;
const server = hyco.createRelayedServer(
  { server: `${config.tls ? 'wss' : 'ws'}://${host}/${path}`, token },
  join,
);
server.on('listening', () => sayReady());
server.on('error', (error) => {
  process.stderr.write(`${error?.message ?? 'error'}\n`);
  process.exit(1);
});
