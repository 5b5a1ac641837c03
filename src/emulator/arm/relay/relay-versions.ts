/** The api-versions of Microsoft.Relay, and what differs between them. */
import type { Behaviour } from '../../options.ts';

/** Newest first (azure-rest-api-specs; 2015-08-01 is what the provider lists besides). */
export const RELAY_VERSIONS: readonly string[] = [
  ...['2026-07-01-preview', '2026-01-01', '2024-01-01', '2021-11-01', '2018-01-01-preview'],
  ...['2017-04-01', '2016-07-01', '2015-08-01'],
];

/** Namespaces have `publicNetworkAccess`, and there are network rules and private endpoints. */
const FIRST_WITH_NETWORK = '2021-11-01';
/** Namespaces have `minimumTlsVersion` and `errors`. */
const FIRST_WITH_TLS = '2026-01-01';

export function hasNetwork(apiVersion: string): boolean {
  return apiVersion >= FIRST_WITH_NETWORK;
}

export function hasTls(apiVersion: string): boolean {
  return apiVersion >= FIRST_WITH_TLS;
}

/** Changes are answered with 201 or 202 and the address of an operation, instead of 200 and a state to look at. */
export function answersOperations(apiVersion: string, { namespaceCreation }: Behaviour): boolean {
  return namespaceCreation === 'by-version' ? hasNetwork(apiVersion) : namespaceCreation === 'operation';
}
