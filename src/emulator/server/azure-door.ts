/**
 * The parts of the local Azure that speak plain HTTP, Resource Manager and Entra ID: which paths are theirs, and that
 * their code is loaded by the first request that needs it.
 */
import type { ServerResponse } from 'node:http';
import { isRelayNamespaceHost } from '../../protocol/relay-hosts.ts';
import type { ArmContext } from '../arm/context.ts';
import { sendJson } from './http-body.ts';
import type { HttpHandler } from './http-door.ts';
import type { HttpRequest } from './http-request.ts';

/** Serves a request, or says false: there is nothing at this path. */
export type AzurePart = (request: HttpRequest, response: ServerResponse) => boolean | Promise<boolean>;

/** First path segments of Resource Manager, on every host but a namespace's. */
const ARM_SEGMENTS: ReadonlySet<string> = new Set([
  ...['subscriptions', 'providers', 'tenants', 'metadata', 'batch', 'resources', 'health'],
]);
/** The token endpoint's; the tenant's id and other GUIDs come besides. */
const ENTRA_SEGMENTS: ReadonlySet<string> = new Set([
  ...['common', 'organizations', 'consumers', 'oauth2', '.well-known', 'discovery', 'msi'],
]);
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function createAzureDoor(context: ArmContext): HttpHandler {
  const parts = {
    arm: once(async () => (await import('../arm/arm.ts')).createArmHandler(context)),
    entra: once(async () => (await import('../entra/handler.ts')).createEntraHandler(context)),
  };
  return (request, response) => {
    const part = partOf(request, context.state.tenantId);
    if (part === undefined) return false;
    void serve(parts[part](), request, response);
    return true;
  };
}

async function serve(
  loading: Promise<AzurePart>,
  request: HttpRequest,
  response: ServerResponse,
): Promise<void> {
  try {
    const part = await loading;
    if (await part(request, response)) return;
    const message = `The emulator has nothing at /${request.path}.`;
    sendJson(response, 404, { error: { code: 'NotFound', message } });
  } catch (error) {
    if (response.headersSent || response.destroyed) return void response.destroy();
    const message = `The emulator failed: ${error instanceof Error ? error.message : String(error)}`;
    sendJson(response, 500, { error: { code: 'InternalServerError', message } });
  }
}

/** Whose path this is. */
function partOf({ asked, path }: HttpRequest, tenantId: string): 'arm' | 'entra' | undefined {
  if (isRelayNamespaceHost(asked.host)) return undefined;
  const [first = '', second = ''] = path.toLowerCase().split('/');
  // The metadata service of virtual machines hands out managed identities' tokens.
  if (first === 'metadata') return second === 'endpoints' ? 'arm' : 'entra';
  if (ARM_SEGMENTS.has(first)) return 'arm';
  if (ENTRA_SEGMENTS.has(first) || first === tenantId) return 'entra';
  return GUID.test(first) && /^(?:oauth2|v2\.0|\.well-known|discovery)$/.test(second) ? 'entra' : undefined;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
