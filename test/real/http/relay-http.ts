// A connection of the emulator as an HTTP server: its address, the token for it, its certificate authority.
import { readFileSync } from 'node:fs';
import { parseConnectionString } from '../../../src/protocol/connection-string.ts';
import { sasResource, signSasToken } from '../../../src/protocol/sas-token.ts';
import type { HcmPath } from '../hcm-path.ts';
import type { HycoOptions } from '../servers/hyco.ts';
import type { HttpServer } from './exchange.ts';

const TOKEN_LIFETIME_MS = 3_600_000;

/** The connection as senders over HTTP see it, with a token made of its sender's key. */
export function relayedServer(path: HcmPath, name: string): HttpServer {
  const { keyName, key } = keyOf(path, name, 'sender');
  const token = signSasToken({
    resource: sasResource('localhost', name),
    keyName,
    key,
    expiresAtMs: Date.now() + TOKEN_LIFETIME_MS,
  });
  return {
    origin: `https://localhost:${path.relayPort}`,
    prefix: `/${name}`,
    caFile: path.relay.caFile,
    ca: readFileSync(path.relay.caFile),
    headers: { ServiceBusAuthorization: token },
  };
}

/** What Microsoft's clients need to know, with the key of the side that they play. */
export function hycoOptions(path: HcmPath, name: string, side: 'listener' | 'sender'): HycoOptions {
  return {
    relayUri: `wss://localhost:${path.relayPort}`,
    path: name,
    ...keyOf(path, name, side),
    caFile: path.relay.caFile,
  };
}

function keyOf(path: HcmPath, name: string, side: 'listener' | 'sender'): { keyName: string; key: string } {
  const connection = path.relay.connections.find((candidate) => candidate.name === name);
  const text =
    side === 'listener' ? connection?.listenerConnectionString : connection?.senderConnectionString;
  const { credential } = parseConnectionString(text ?? '');
  if (credential.kind !== 'key') throw new Error(`${name} has no key for the ${side}`);
  return { keyName: credential.keyName, key: credential.key };
}
