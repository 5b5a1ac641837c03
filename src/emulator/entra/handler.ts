/**
 * Entra ID on the emulator's port: which part serves which path, and errors in its format. Made for one tenant; `common` and
 * `organizations` mean it, too.
 */
import type { AzurePart } from '../server/azure-door.ts';
import { BodyTooLarge, sendJson } from '../server/http-body.ts';
import { AadstsError } from './aadsts.ts';
import { provedClient } from './clients.ts';
import type { EntraContext } from './context.ts';
import { DeviceSignIn } from './device-code.ts';
import { instanceDiscovery, openidConfiguration, publicKeys } from './discovery.ts';
import { need, readEntraRequest, sendAnswer, type EntraAnswer, type EntraRequest } from './exchange.ts';
import { githubToken, pipelinesToken } from './federation.ts';
import { InteractiveSignIn } from './interactive.ts';
import { Issuer } from './issuer.ts';
import { appServiceIdentity, instanceMetadata } from './managed-identity.ts';
import { page } from './pages.ts';
import { refresh } from './refresh.ts';
import { answerApplication } from './token-answer.ts';

type Serve = (request: EntraRequest) => EntraAnswer | Promise<EntraAnswer>;

interface Route {
  readonly methods: readonly string[];
  /** Of the path in lower case. */
  readonly path: RegExp;
  readonly serve: Serve;
}

const GET = ['GET', 'HEAD'];
const TENANT = '[^/]+';

export function createEntraHandler(context: EntraContext): AzurePart {
  const issuer = new Issuer(context);
  const routes = routesOf(issuer);
  return async (message, response) => {
    const path = message.path.toLowerCase().replace(/\/+$/, '');
    const fitting = routes.filter((route) => route.path.test(path));
    if (fitting.length === 0) return false;
    const request = await readEntraRequest(message).catch((error: unknown) => {
      if (error instanceof BodyTooLarge) return undefined;
      throw error;
    });
    if (request === undefined) {
      sendJson(response, 413, { error: 'invalid_request', error_description: 'The request is too large.' });
      return true;
    }
    const answer = await serve(issuer, fitting, request);
    sendAnswer(response, request, answer);
    return true;
  };
}

async function serve(issuer: Issuer, fitting: readonly Route[], request: EntraRequest): Promise<EntraAnswer> {
  const { method } = request;
  try {
    checkTenant(issuer, request);
    const route = fitting.find(({ methods }) => methods.includes(method));
    if (route === undefined) throw new AadstsError(900561, fitting[0]?.methods[0] ?? 'POST', method);
    return await route.serve(request);
  } catch (error) {
    if (!(error instanceof AadstsError)) throw error;
    return {
      status: error.status,
      body: error.body(issuer.context.nowMs(), request.correlationId, request.baseUrl),
    };
  }
}

function routesOf(issuer: Issuer): Route[] {
  const interactive = new InteractiveSignIn(issuer);
  const device = new DeviceSignIn(issuer);
  const { tenantId } = issuer.context.state;
  const token = tokenEndpoint(issuer, interactive, device);
  const route = (methods: readonly string[], path: string, serve: Serve): Route => {
    return { methods, path: new RegExp(`^${path}$`), serve };
  };
  const identity: Serve = (request) => instanceMetadata(issuer, request);
  const openid: Serve = (request) => openidConfiguration(request, tenantId);
  return [
    route(GET, `${TENANT}(?:/v2\\.0)?/\\.well-known/openid-configuration`, openid),
    route(GET, `(?:${TENANT}/)?discovery/instance`, instanceDiscovery),
    route(GET, `${TENANT}/discovery(?:/v2\\.0)?/keys`, () => publicKeys(issuer)),
    route(['POST'], `${TENANT}/oauth2(?:/v2\\.0)?/token`, token),
    route(['POST'], `${TENANT}/oauth2(?:/v2\\.0)?/devicecode`, (request) => device.start(request)),
    route([...GET, 'POST'], `${TENANT}/oauth2(?:/v2\\.0)?/authorize`, (request) =>
      interactive.authorize(request),
    ),
    route([...GET, 'POST'], 'common/oauth2/deviceauth', (request) => device.approve(request)),
    route([...GET, 'POST'], `${TENANT}/oauth2(?:/v2\\.0)?/logout`, () => {
      return page(200, 'Signed out', '<p>You are signed out. You can close this page.</p>');
    }),
    route(GET, 'metadata/identity/oauth2/token', identity),
    route(GET, 'msi/token', (request) => appServiceIdentity(issuer, request)),
    route(GET, 'oauth2/github', (request) => githubToken(issuer, request)),
    route(['POST'], 'oauth2/pipelines', (request) => pipelinesToken(issuer, request)),
  ];
}

/** `/{tenant}/oauth2/v2.0/token` */
function tokenEndpoint(issuer: Issuer, interactive: InteractiveSignIn, device: DeviceSignIn): Serve {
  const grants: Readonly<Record<string, Serve>> = {
    client_credentials: async (request) =>
      answerApplication(issuer, request, await provedClient(issuer, request)),
    authorization_code: (request) => interactive.redeem(request),
    refresh_token: (request) => refresh(issuer, request),
    device_code: (request) => device.redeem(request),
    'urn:ietf:params:oauth:grant-type:device_code': (request) => device.redeem(request),
  };
  return (request) => {
    const grantType = need(request.form, 'grant_type');
    const grant = Object.hasOwn(grants, grantType) ? grants[grantType] : undefined;
    if (grant === undefined) throw new AadstsError(70003, grantType);
    const refusal = issuer.context.faults.entra.takeRefusal();
    if (refusal !== undefined) throw new AadstsError(refusal);
    return grant(request);
  };
}

/** Segments that stand where a tenant does, and are none. */
const NO_TENANT = new Set(['metadata', 'msi', 'oauth2', 'discovery']);
const ANY_TENANT = new Set(['common', 'organizations']);

function checkTenant({ context }: Issuer, { segments }: EntraRequest): void {
  const [tenant = ''] = segments;
  const wanted = tenant.toLowerCase();
  const isKnown = wanted === context.state.tenantId || ANY_TENANT.has(wanted) || NO_TENANT.has(wanted);
  if (!isKnown) throw new AadstsError(90002, tenant);
}
