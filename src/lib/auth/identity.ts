/** Who a token of Entra ID speaks of, for showing it. Nothing is checked: that is for those who get the token. */

export interface Identity {
  /** A user's name, or the app's id. */
  readonly name?: string;
  readonly tenantId?: string;
}

export function readIdentity(token: string): Identity {
  const claims = parsePayload(token);
  const text = (...names: string[]) =>
    names.map((name) => claims[name]).find((value): value is string => typeof value === 'string');
  const name = text('upn', 'unique_name', 'preferred_username', 'appid', 'oid');
  const tenantId = text('tid');
  return { ...(name === undefined ? {} : { name }), ...(tenantId === undefined ? {} : { tenantId }) };
}

function parsePayload(token: string): Record<string, unknown> {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
  } catch {
    // A sign-in of its own making may hand out tokens that are no JWT.
    return {};
  }
}
