/**
 * `/metadata/endpoints`: what clients must know of a cloud before they can sign in to it. Three forms have been in use: a
 * small one (2015-01-01, 2018-05-01), a list of clouds (2019 to 2021), and one cloud (from 2022 on). Most of a cloud's
 * endpoints are not here; clients that insist on the keys get Azure's own values.
 */
import type { EmulatorState } from '../state.ts';
import { CLOUD_SUFFIXES } from '../../protocol/relay-hosts.ts';
import type { ArmAnswer } from './router.ts';
import { checkVersion } from './versions.ts';

const LAST_SMALL = '2018-05-01';
const FIRST_SINGLE = '2022-09-01';
const VERSIONS: readonly string[] = [
  ...['2025-01-01', '2024-11-01', '2023-12-01', FIRST_SINGLE, '2021-01-01', '2020-09-01', '2020-06-01'],
  ...[
    '2019-10-01',
    '2019-07-01',
    '2019-05-10',
    '2019-05-01',
    LAST_SMALL,
    '2018-01-01',
    '2016-09-01',
    '2015-11-01',
  ],
  ...['2015-01-01', '1.0'],
];
const GRAPH = 'https://graph.windows.net/';
/** Endpoints that nobody serves here (azure-cli reads them by name and fails without). */
const ELSEWHERE = {
  graph: GRAPH,
  graphAudience: GRAPH,
  microsoftGraphResourceId: 'https://graph.microsoft.com/',
  media: 'https://rest.media.azure.net',
  batch: 'https://batch.core.windows.net/',
  vmImageAliasDoc:
    'https://raw.githubusercontent.com/Azure/azure-rest-api-specs/main/arm-compute/quickstart-templates/aliases.json',
  activeDirectoryDataLake: 'https://datalake.azure.net/',
  sqlManagement: 'https://management.core.windows.net:8443/',
  appInsightsResourceId: 'https://api.applicationinsights.io',
  appInsightsTelemetryChannelResourceId: 'https://dc.applicationinsights.azure.com/v2/track',
  attestationResourceId: 'https://attest.azure.net',
  synapseAnalyticsResourceId: 'https://dev.azuresynapse.net',
  logAnalyticsResourceId: 'https://api.loganalytics.io',
  ossrDbmsResourceId: 'https://ossrdbms-aad.database.windows.net',
} as const;
const SUFFIXES_ELSEWHERE = {
  azureDataLakeStoreFileSystem: 'azuredatalakestore.net',
  azureDataLakeAnalyticsCatalogAndJob: 'azuredatalakeanalytics.net',
  acrLoginServer: 'azurecr.io',
  sqlServerHostname: 'database.windows.net',
  keyVaultDns: 'vault.azure.net',
  storage: 'core.windows.net',
  azureFrontDoorEndpointSuffix: 'azurefd.net',
  storageSyncEndpointSuffix: 'afs.azure.net',
  mhsmDns: 'managedhsm.azure.net',
  mysqlServerEndpoint: 'mysql.database.azure.com',
  postgresqlServerEndpoint: 'postgres.database.azure.com',
  mariadbServerEndpoint: 'mariadb.database.azure.com',
  synapseAnalytics: 'dev.azuresynapse.net',
  attestationEndpoint: 'attest.azure.net',
} as const;

/** @throws ArmError 400 InvalidApiVersionParameter */
export function metadataAnswer(
  { tenantId }: Pick<EmulatorState, 'tenantId'>,
  baseUrl: string,
  apiVersion: string,
): ArmAnswer {
  checkVersion(apiVersion, VERSIONS);
  const { host, port } = new URL(baseUrl);
  const authentication = {
    loginEndpoint: baseUrl,
    audiences: [`${baseUrl}/`, 'https://management.core.windows.net/', 'https://management.azure.com/'],
    tenant: tenantId,
    identityProvider: 'AAD',
  };
  const portal = `${baseUrl}/`;
  if (apiVersion <= LAST_SMALL) {
    const endpoints = {
      galleryEndpoint: portal,
      graphEndpoint: GRAPH,
      portalEndpoint: portal,
      graphAudience: GRAPH,
    };
    const cloudEndpoint = { local: { endpoint: host, locations: [] } };
    return { status: 200, body: { ...endpoints, authentication, cloudEndpoint } };
  }
  const cloud = {
    ...{ portal, authentication, ...ELSEWHERE, gallery: portal, name: 'local' },
    // Azure's document has no suffix of the relay.
    suffixes: { ...SUFFIXES_ELSEWHERE, relay: `${CLOUD_SUFFIXES.local}:${port === '' ? '443' : port}` },
    resourceManager: `${baseUrl}/`,
  };
  return { status: 200, body: apiVersion < FIRST_SINGLE ? [cloud] : cloud };
}
