/** Answers of the half of Microsoft.Relay that has the namespaces: it names itself in headers, up to the newest versions. */
import type { ArmContext } from '../context.ts';
import type { ArmAnswer, ArmRequest } from '../router.ts';
import { answersOperations } from './relay-versions.ts';

const SERVER = 'Service-Bus-Resource-Provider/LOCAL';
/** In every answer. [rec] */
const HEADERS = { Server: `${SERVER}, Microsoft-HTTPAPI/2.0`, 'Server-SB': SERVER };

export function providerAnswer(
  { behaviour }: ArmContext,
  { apiVersion }: Pick<ArmRequest, 'apiVersion'>,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): ArmAnswer {
  const provider = answersOperations(apiVersion, behaviour) ? {} : HEADERS;
  return { status, headers: { ...provider, ...headers }, ...(body !== undefined && { body }) };
}
