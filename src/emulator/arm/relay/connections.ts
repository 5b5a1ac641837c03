/** Hybrid connections of a namespace. What is made here, the relay serves at once. */
import { entityNameFault } from '../../../protocol/entity-name.ts';
import { USER_METADATA_MAX_CHARS } from '../../../protocol/limits.ts';
import { findByName, type ConnectionState } from '../../state.ts';
import { booleanIn, recordIn, textIn } from '../body.ts';
import type { ArmContext } from '../context.ts';
import type { ArmAnswer, ArmRequest, ArmRoute } from '../router.ts';
import { badRequest, CONNECTION, findConnection, NAMESPACE, parentNamespace } from './look-up.ts';
import { connectionView } from './relay-view.ts';

/** Of the provider's other half, which has the entities. [rec] */
const HEADERS = { Server: 'Microsoft-HTTPAPI/2.0' };
/** Hybrid connections and WCF relays in one namespace (Azure Relay FAQ). */
const MAX_CONNECTIONS = 10_000;

export function connectionRoutes(context: ArmContext): ArmRoute[] {
  return [
    {
      ...{ method: 'GET', pattern: `${NAMESPACE}/hybridConnections` },
      handle(request) {
        const namespace = parentNamespace(context, request);
        const value = namespace.connections.map((connection) =>
          connectionView(namespace, connection, context.relay.listenerCount(connection)),
        );
        return { status: 200, headers: { ...HEADERS, 'x-ms-inline-count': '' }, body: { value } };
      },
    },
    {
      ...{ method: 'GET', pattern: CONNECTION },
      handle(request) {
        const { namespace, connection } = findConnection(context, request);
        const listeners = context.relay.listenerCount(connection);
        return { status: 200, headers: HEADERS, body: connectionView(namespace, connection, listeners) };
      },
    },
    { method: 'PUT', pattern: CONNECTION, handle: (request) => putConnection(context, request) },
    { method: 'DELETE', pattern: CONNECTION, handle: (request) => deleteConnection(context, request) },
  ];
}

/** Replaces all that can be set: without userMetadata there is none afterwards. Keys and listeners stay. */
function putConnection(context: ArmContext, request: ArmRequest): ArmAnswer {
  const { nowMs, changed, relay } = context;
  const namespace = parentNamespace(context, request);
  const name = request.params['connection'] ?? '';
  const wanted = readConnectionBody(request.body);
  const at = new Date(nowMs()).toISOString();
  let connection = findByName(namespace.connections, name);
  if (connection === undefined) {
    checkNew(name, namespace.connections.length);
    connection = { name, ...wanted, createdAt: at, updatedAt: at, rules: [] };
    namespace.connections.push(connection);
    changed();
  } else if (differs(connection, wanted)) {
    Object.assign(connection, wanted, { updatedAt: at });
    changed();
  }
  const listeners = relay.listenerCount(connection);
  return { status: 200, headers: HEADERS, body: connectionView(namespace, connection, listeners) };
}

function deleteConnection(context: ArmContext, request: ArmRequest): ArmAnswer {
  const { connections } = parentNamespace(context, request);
  const connection = findByName(connections, request.params['connection'] ?? '');
  if (connection === undefined) return { status: 204, headers: HEADERS };
  connections.splice(connections.indexOf(connection), 1);
  context.relay.end(connection);
  context.changed();
  return { status: 200, headers: HEADERS };
}

type Settable = Pick<ConnectionState, 'requiresClientAuthorization' | 'userMetadata'>;

function readConnectionBody(body: unknown): Settable {
  const properties = recordIn(body, 'properties');
  const userMetadata = textIn(properties, 'userMetadata') ?? '';
  if (userMetadata.length > USER_METADATA_MAX_CHARS) {
    throw badRequest(
      `The value supplied for UserMetadata has ${userMetadata.length} characters. The maximum length is ${USER_METADATA_MAX_CHARS}.`,
    );
  }
  return {
    requiresClientAuthorization: booleanIn(properties, 'requiresClientAuthorization') ?? true,
    userMetadata,
  };
}

function differs(connection: ConnectionState, wanted: Settable): boolean {
  return (
    connection.userMetadata !== wanted.userMetadata ||
    connection.requiresClientAuthorization !== wanted.requiresClientAuthorization
  );
}

function checkNew(name: string, count: number): void {
  const fault = entityNameFault(name) ?? (/^[a-z0-9].*[a-z0-9]$|^[a-z0-9]$/i.test(name) ? undefined : 'edge');
  if (fault !== undefined) throw badRequest(`The specified resource name '${name}' is invalid.`);
  if (count >= MAX_CONNECTIONS) throw badRequest('The namespace has as many relays as it may have.');
}
