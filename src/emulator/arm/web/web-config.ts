/**
 * An app's configuration `web` as App Service answers it (recorded from a Windows app, Nov 2023), and the summary of
 * it inside the app itself, where nearly everything is null.
 */
import type { AppState } from '../../web-state.ts';

const ALLOW_ALL = [
  {
    ipAddress: 'Any',
    action: 'Allow',
    priority: 2147483647,
    name: 'Allow all',
    description: 'Allow all access',
  },
] as const;

const AUTH_SETTINGS = [
  ...['enabled', 'unauthenticatedClientAction', 'tokenStoreEnabled', 'allowedExternalRedirectUrls'],
  ...['defaultProvider', 'clientId', 'clientSecret', 'clientSecretSettingName'],
  ...['clientSecretCertificateThumbprint', 'issuer', 'allowedAudiences', 'additionalLoginParams'],
  ...['isAadAutoProvisioned', 'aadClaimsAuthorization', 'googleClientId', 'googleClientSecret'],
  ...['googleClientSecretSettingName', 'googleOAuthScopes', 'facebookAppId', 'facebookAppSecret'],
  ...['facebookAppSecretSettingName', 'facebookOAuthScopes', 'gitHubClientId', 'gitHubClientSecret'],
  ...['gitHubClientSecretSettingName', 'gitHubOAuthScopes', 'twitterConsumerKey', 'twitterConsumerSecret'],
  ...['twitterConsumerSecretSettingName', 'microsoftAccountClientId', 'microsoftAccountClientSecret'],
  ...['microsoftAccountClientSecretSettingName', 'microsoftAccountOAuthScopes', 'configVersion'],
];

const DEFAULTS: Readonly<Record<string, unknown>> = {
  numberOfWorkers: 1,
  defaultDocuments: [
    ...['Default.htm', 'Default.html', 'Default.asp', 'index.htm', 'index.html', 'iisstart.htm'],
    ...['default.aspx', 'index.php', 'hostingstart.html'],
  ],
  ...{
    netFrameworkVersion: 'v4.0',
    phpVersion: '5.6',
    pythonVersion: '',
    nodeVersion: '',
    powerShellVersion: '',
  },
  ...{ linuxFxVersion: '', windowsFxVersion: null, windowsConfiguredStacks: [] },
  ...{ requestTracingEnabled: false, remoteDebuggingEnabled: false, remoteDebuggingVersion: null },
  ...{ httpLoggingEnabled: false, azureMonitorLogCategories: null, acrUseManagedIdentityCreds: false },
  ...{ acrUserManagedIdentityID: null, logsDirectorySizeLimit: 35, detailedErrorLoggingEnabled: false },
  ...{ publishingUsername: '', publishingPassword: null, appSettings: null, metadata: null },
  ...{
    connectionStrings: null,
    machineKey: null,
    handlerMappings: null,
    documentRoot: null,
    scmType: 'None',
  },
  ...{ use32BitWorkerProcess: true, webSocketsEnabled: false, alwaysOn: false, javaVersion: null },
  ...{
    javaContainer: null,
    javaContainerVersion: null,
    appCommandLine: '',
    managedPipelineMode: 'Integrated',
  },
  virtualApplications: [
    { virtualPath: '/', physicalPath: 'site\\wwwroot', preloadEnabled: true, virtualDirectories: null },
  ],
  ...{ winAuthAdminState: 0, winAuthTenantState: 0, customAppPoolIdentityAdminState: false },
  ...{ customAppPoolIdentityTenantState: false, runtimeADUser: null, runtimeADUserPassword: null },
  ...{ loadBalancing: 'LeastRequests', routingRules: [], experiments: { rampUpRules: [] }, limits: null },
  ...{ autoHealEnabled: false, autoHealRules: null, tracingOptions: null, vnetName: '' },
  ...{
    vnetRouteAllEnabled: false,
    vnetPrivatePortsCount: 0,
    publicNetworkAccess: null,
    siteAuthEnabled: false,
  },
  siteAuthSettings: { ...nulls(AUTH_SETTINGS), isAadAutoProvisioned: false },
  ...{ cors: null, push: null, apiDefinition: null, apiManagementConfig: null, autoSwapSlotName: null },
  ...{ localMySqlEnabled: false, managedServiceIdentityId: null, xManagedServiceIdentityId: null },
  ...{ keyVaultReferenceIdentity: null, ipSecurityRestrictions: ALLOW_ALL },
  ...{ ipSecurityRestrictionsDefaultAction: null, scmIpSecurityRestrictions: ALLOW_ALL },
  ...{ scmIpSecurityRestrictionsDefaultAction: null, scmIpSecurityRestrictionsUseMain: false },
  ...{ http20Enabled: false, minTlsVersion: '1.2', minTlsCipherSuite: null, supportedTlsCipherSuites: null },
  ...{
    scmMinTlsVersion: '1.2',
    ftpsState: 'FtpsOnly',
    preWarmedInstanceCount: 0,
    functionAppScaleLimit: null,
  },
  ...{ elasticWebAppScaleLimit: 0, healthCheckPath: null, fileChangeAuditEnabled: false },
  ...{ functionsRuntimeScaleMonitoringEnabled: false, websiteTimeZone: null, minimumElasticInstanceCount: 0 },
  ...{ azureStorageAccounts: {}, http20ProxyFlag: 0, sitePort: null, antivirusScanEnabled: false },
  ...{ storageType: 'StorageVolume', sitePrivateLinkHostEnabled: false },
};

/** What the summary shows as it is; all else is null there, and the two about sign-in are left out. */
const SUMMARY_KEYS = [
  ...['numberOfWorkers', 'linuxFxVersion', 'acrUseManagedIdentityCreds', 'alwaysOn', 'http20Enabled'],
  ...['minimumElasticInstanceCount'],
];
const NOT_IN_SUMMARY = new Set(['siteAuthEnabled', 'siteAuthSettings']);

/** The properties of `config/web`. */
export function webConfig(app: AppState, publishingUser: string): Record<string, unknown> {
  return { ...DEFAULTS, publishingUsername: publishingUser, ...app.siteConfig };
}

/** `properties.siteConfig` of an app. The answer to a write has other nulls in it than a read. */
export function webConfigSummary(app: AppState, answers: 'read' | 'write'): Record<string, unknown> {
  const config = webConfig(app, '');
  const shown = SUMMARY_KEYS.map((key) => [key, config[key]] as const);
  return {
    ...nulls(Object.keys(DEFAULTS).filter((key) => !NOT_IN_SUMMARY.has(key))),
    ...Object.fromEntries(shown),
    ...(answers === 'read'
      ? { functionAppScaleLimit: 0 }
      : {
          ...{ elasticWebAppScaleLimit: 0, alwaysOn: false, http20Enabled: false },
          ...{ ipSecurityRestrictions: ALLOW_ALL, scmIpSecurityRestrictions: ALLOW_ALL },
        }),
  };
}

/** Settings as App Service takes them, apart from the app settings, which are kept by themselves. */
export function mergeWebConfig(app: AppState, given: Readonly<Record<string, unknown>>): void {
  const { appSettings, ...config } = given;
  for (const [key, value] of Object.entries(config)) {
    // Secrets that nothing here needs are not kept.
    if (key in DEFAULTS && !/^(?:connectionStrings|machineKey|publishingPassword)$/.test(key)) {
      app.siteConfig[key] = value;
    }
  }
  if (Array.isArray(appSettings)) app.appSettings = Object.fromEntries(appSettings.flatMap(settingOf));
}

function settingOf(item: unknown): [string, string][] {
  const { name, value } = (item ?? {}) as { name?: unknown; value?: unknown };
  return typeof name === 'string' ? [[name, typeof value === 'string' ? value : '']] : [];
}

function nulls(keys: readonly string[]): Record<string, null> {
  return Object.fromEntries(keys.map((key) => [key, null]));
}
