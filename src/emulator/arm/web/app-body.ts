/** An app or a slot as App Service answers it (recorded Nov 2023). Hosts are made up, and lead nowhere. */
import { createHash } from 'node:crypto';
import { locationDisplayName } from '../locations.ts';
import type { PlanState } from '../../web-state.ts';
import type { AppResource } from './app-resource.ts';
import { webSpaceOf, webTime } from './plan-body.ts';
import { webConfigSummary } from './web-config.ts';

/** Names that end so never leave the machine (RFC 6761), where Azure has `azurewebsites.net`: somebody else's app. */
const HOST_SUFFIX = 'azurewebsites.localhost';
const STAMP = 'waws-prod-local-001';
const ADDRESS = '127.0.0.1';

/** The answer to a write has other nulls in it than a read. */
export function appBody(
  resource: AppResource,
  plan: PlanState | undefined,
  answers: 'read' | 'write',
): object {
  const { site, slot, app } = resource;
  const tags = Object.keys(app.tags).length === 0 ? null : app.tags;
  return {
    id: resource.id,
    name: slot === undefined ? site.name : `${site.name}/${slot.name}`,
    type: slot === undefined ? 'Microsoft.Web/sites' : 'Microsoft.Web/sites/slots',
    ...{ kind: app.kind, location: locationDisplayName(app.location) },
    ...(tags === null ? {} : { tags }),
    properties: {
      ...stateOf(resource, plan),
      ...hostsOf(resource),
      ...{ computeMode: null, serverFarm: null, serverFarmId: app.planId, reserved: plan?.reserved ?? false },
      ...{ isXenon: false, hyperV: false, lastModifiedTimeUtc: webTime(app.modifiedAt) },
      ...{ storageRecoveryDefaultState: 'Running', contentAvailabilityState: 'Normal' },
      ...{ runtimeAvailabilityState: 'Normal', dnsConfiguration: {}, vnetRouteAllEnabled: false },
      ...{
        containerAllocationSubnet: null,
        useContainerLocalhostBindings: null,
        vnetImagePullEnabled: false,
      },
      ...{ vnetContentShareEnabled: false, siteConfig: webConfigSummary(app, answers), daprConfig: null },
      ...deploymentOf(resource, plan),
      ...{ tags, resourceGroup: site.resourceGroup, defaultHostName: hostOf(resource) },
      ...{ slotSwapStatus: null, httpsOnly: app.httpsOnly, endToEndEncryptionEnabled: false },
      ...{
        functionsRuntimeAdminIsolationEnabled: false,
        redundancyMode: 'None',
        inProgressOperationId: null,
      },
      ...{ geoDistributions: null, privateEndpointConnections: answers === 'read' ? [] : null },
      ...{ publicNetworkAccess: null, buildVersion: null, targetBuildVersion: null, migrationState: null },
      eligibleLogCategories:
        'AppServiceAppLogs,AppServiceAuditLogs,AppServiceConsoleLogs,AppServiceHTTPLogs,AppServiceIPSecAuditLogs,AppServicePlatformLogs,ScanLogs',
      ...{ inFlightFeatures: answers === 'read' ? [] : null, storageAccountRequired: false },
      ...{ virtualNetworkSubnetId: null, keyVaultReferenceIdentity: 'SystemAssigned' },
      ...{ defaultHostNameScope: 'Global', privateLinkIdentifiers: null, sshEnabled: null },
    },
  };
}

/** `app.azurewebsites.localhost`, `app-slot.azurewebsites.localhost`. */
export function hostOf({ site, slot }: AppResource, middle = ''): string {
  const label = slot === undefined ? site.name : `${site.name}-${slot.name}`;
  return `${label.toLowerCase()}.${middle}${HOST_SUFFIX}`;
}

function stateOf({ site, slot, app }: AppResource, plan: PlanState | undefined): object {
  const webSpace = plan === undefined ? null : webSpaceOf(plan);
  return {
    name: slot === undefined ? site.name : `${site.name}(${slot.name})`,
    state: app.running ? 'Running' : 'Stopped',
    webSpace,
    selfLink: `https://${STAMP}.api.${HOST_SUFFIX}:454/subscriptions/${site.subscriptionId}/webspaces/${webSpace}/sites/${site.name}`,
    ...{ repositorySiteName: site.name, owner: null, usageState: 'Normal', enabled: app.running },
    ...{ adminEnabled: true, afdEnabled: false },
  };
}

function hostsOf(resource: AppResource): object {
  const hosts = [
    [hostOf(resource), 'Standard'],
    [hostOf(resource, 'scm.'), 'Repository'],
  ] as const;
  return {
    hostNames: [hostOf(resource)],
    enabledHostNames: hosts.map(([name]) => name),
    siteProperties: {
      metadata: null,
      properties: [
        { name: 'LinuxFxVersion', value: textOf(resource.app.siteConfig['linuxFxVersion']) },
        { name: 'WindowsFxVersion', value: null },
      ],
      appSettings: null,
    },
    ...{ availabilityState: 'Normal', sslCertificates: null, csrs: [], cers: null, siteMode: null },
    hostNameSslStates: hosts.map(([name, hostType]) => ({
      ...{ name, sslState: 'Disabled', ipBasedSslResult: null, virtualIP: null, virtualIPv6: null },
      ...{ thumbprint: null, certificateResourceId: null, toUpdate: null, toUpdateIpBasedSsl: null },
      ...{ ipBasedSslState: 'NotConfigured', hostType },
    })),
  };
}

function deploymentOf(resource: AppResource, plan: PlanState | undefined): object {
  const { site, slot, app } = resource;
  const hash = (text: string) => createHash('sha256').update(text.toLowerCase()).digest('hex');
  return {
    deploymentId: slot === undefined ? site.name : `${site.name}__${hash(slot.name).slice(0, 4)}`,
    ...{ slotName: null, trafficManagerHostNames: null, sku: plan?.sku.tier ?? 'Free' },
    ...{ scmSiteAlsoStopped: false, targetSwapSlot: null, hostingEnvironment: null },
    ...{ hostingEnvironmentProfile: null, clientAffinityEnabled: app.clientAffinityEnabled },
    ...{ clientCertEnabled: false, clientCertMode: 'Required', clientCertExclusionPaths: null },
    ...{ hostNamesDisabled: false, ipMode: 'IPv4', vnetBackupRestoreEnabled: false },
    ...{
      domainVerificationIdentifiers: null,
      customDomainVerificationId: hash(site.subscriptionId).toUpperCase(),
    },
    ...{ kind: app.kind, managedEnvironmentId: null },
    ...{
      inboundIpAddress: ADDRESS,
      possibleInboundIpAddresses: ADDRESS,
      ftpUsername: `${site.name}\\$${site.name}`,
    },
    ...{ ftpsHostName: `ftps://${STAMP}.ftp.${HOST_SUFFIX}/site/wwwroot`, outboundIpAddresses: ADDRESS },
    ...{
      possibleOutboundIpAddresses: ADDRESS,
      containerSize: 0,
      dailyMemoryTimeQuota: 0,
      suspendedTill: null,
    },
    ...{ siteDisabledReason: 0, functionExecutionUnitsCache: null, maxNumberOfWorkers: null },
    ...{ homeStamp: STAMP, cloningInfo: null, hostingEnvironmentId: null },
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
