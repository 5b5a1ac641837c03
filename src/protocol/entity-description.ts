/**
 * The description of a hybrid connection that the relay itself hands out (an Atom entry), writing and reading it.
 * Microsoft's Hybrid Connection Manager reads its target from there. Shape and statuses as in the .NET client
 * (ManagementOperations, HybridConnectionRuntimeInformation).
 */
import { HcmError } from './errors.ts';
import { errorFromHandshake } from './relay-status.ts';
import { elementText, escapeXml, flattenXml } from './xml-text.ts';

/** What a relay tells about a hybrid connection. Times are ISO 8601, as sent. */
export interface EntityDescription {
  readonly createdAt?: string;
  readonly updatedAt?: string;
  /** False when senders need no token. */
  readonly requiresClientAuthorization: boolean;
  readonly userMetadata?: string;
  readonly listenerCount: number;
}

/** Largest answer that is read. Our choice: an entry with full userMetadata has about 8 kB. */
const BODY_MAX_CHARS = 262_144;
const CONNECT_NAMESPACE = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
const ATOM_NAMESPACE = 'http://www.w3.org/2005/Atom';

export interface EntityEntry extends EntityDescription {
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Host of the namespace, port included where it is not 443. */
  readonly host: string;
  readonly path: string;
}

/** Writes the Atom entry. The children of the description stand in the order that a .NET reader needs. */
export function formatEntityEntry(entry: EntityEntry): string {
  const { host, path, createdAt, updatedAt, userMetadata } = entry;
  const id = escapeXml(`https://${host}/${path}?api-version=2016-07`);
  const metadata =
    userMetadata === undefined ? '' : `<UserMetadata>${escapeXml(userMetadata)}</UserMetadata>`;
  return (
    `<entry xmlns="${ATOM_NAMESPACE}"><id>${id}</id><title type="text">${escapeXml(path)}</title>` +
    `<published>${escapeXml(createdAt)}</published><updated>${escapeXml(updatedAt)}</updated>` +
    `<author><name>${escapeXml(host.split('.')[0] ?? host)}</name></author><link rel="self" href="${id}"/>` +
    `<content type="application/xml"><HybridConnectionDescription xmlns="${CONNECT_NAMESPACE}" ` +
    `xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><CreatedAt>${escapeXml(createdAt)}</CreatedAt>` +
    `<UpdatedAt>${escapeXml(updatedAt)}</UpdatedAt>` +
    `<RequiresClientAuthorization>${entry.requiresClientAuthorization}</RequiresClientAuthorization>` +
    `${metadata}<ListenerCount>${entry.listenerCount}</ListenerCount>` +
    `</HybridConnectionDescription></content></entry>`
  );
}

export interface EntityAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: string;
  /** For messages: what was asked, where, and the answer's reason phrase. */
  readonly host?: string;
  readonly path?: string;
  readonly reason?: string;
  /** The answer's `Date` header and our clock: a large difference explains a refused token. */
  readonly serverDateMs?: number | undefined;
  readonly nowMs?: number | undefined;
}

/**
 * Reads the answer to a read of an entity.
 * @throws HcmError HCM_ENTITY_NOT_FOUND for 404, 204 and a feed instead of an entry; the codes of `errorFromHandshake`
 * for other statuses; HCM_HANDSHAKE_FAILED for a 200 that holds no description.
 */
export function parseEntityAnswer(answer: EntityAnswer): EntityDescription {
  const { status, contentType = '', host = 'the relay', path = '' } = answer;
  const type = contentType.toLowerCase();
  if (status === 204 || (status === 200 && /;\s*type\s*=\s*"?feed\b/.test(type))) {
    throw new HcmError('HCM_ENTITY_NOT_FOUND', `${host} knows no hybrid connection "${path}".`, {
      details: { status, host, path },
    });
  }
  if (status !== 200) {
    throw errorFromHandshake({ ...answer, host, path, reason: errorText(answer), role: 'read' });
  }
  return descriptionIn(answer.body) ?? unreadable(host, path);
}

function descriptionIn(body: string): EntityDescription | undefined {
  const xml = body.length > BODY_MAX_CHARS ? undefined : flattenXml(body);
  const inner = xml === undefined ? undefined : elementText(xml, 'HybridConnectionDescription');
  if (inner === undefined) return undefined;
  const read = (name: string): string | undefined => elementText(inner, name, { decode: true });
  const [createdAt, updatedAt, userMetadata] = [read('CreatedAt'), read('UpdatedAt'), read('UserMetadata')];
  const count = read('ListenerCount')?.trim() ?? '0';
  return {
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(updatedAt === undefined ? {} : { updatedAt }),
    // Absent counts as true, as in the .NET client.
    requiresClientAuthorization: !/^(?:false|0)$/i.test(
      read('RequiresClientAuthorization')?.trim() ?? 'true',
    ),
    ...(userMetadata === undefined ? {} : { userMetadata }),
    listenerCount: /^\d{1,9}$/.test(count) ? Number(count) : 0,
  };
}

/** The service's own words are in `<Error><Code/><Detail/></Error>`, else in the reason phrase. */
function errorText({ body, reason = '' }: EntityAnswer): string {
  const xml = body.length > BODY_MAX_CHARS ? undefined : flattenXml(body);
  const error = xml === undefined ? undefined : elementText(xml, 'Error');
  return (error === undefined ? undefined : elementText(error, 'Detail', { decode: true })) ?? reason;
}

function unreadable(host: string, path: string): never {
  throw new HcmError(
    'HCM_HANDSHAKE_FAILED',
    `${host} answered the read of "${path}" with something that is no description of a hybrid connection.`,
    { details: { status: 200, host, path } },
  );
}
