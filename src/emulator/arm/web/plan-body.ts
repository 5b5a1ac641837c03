/** A plan as App Service answers it (recorded Nov 2023). */
import { createHash } from 'node:crypto';
import { planIdOf, type PlanState } from '../../web-state.ts';
import { locationDisplayName } from '../locations.ts';
import { tierOf } from './skus.ts';

/** The names of the three sizes of workers; their place is the id. */
const WORKER_SIZES = ['Default', 'Medium', 'Large'] as const;

/** Instances that a plan can be scaled out to. */
const MAX_WORKERS: Readonly<Record<string, number>> = { Free: 1, Shared: 1, Basic: 3, Standard: 10 };
const MAX_WORKERS_ELSE = 30;

/** The virtual networks that a plan may be joined to. */
const MAX_VNETS = 2;

/**
 * `answers` a write: then it has the SKU a second time, the location as it was asked for, and what Azure does not know
 * yet at that moment is null or 0.
 */
export function planBody(
  plan: PlanState,
  numberOfSites: number,
  answers: 'read' | { askedLocation: string },
): object {
  const { sku, kind } = plan;
  const isRead = answers === 'read';
  const stampId = numberFor(planIdOf(plan));
  const tags = Object.keys(plan.tags).length === 0 ? null : plan.tags;
  const sizeId = Math.min(Number(/\d/.exec(sku.name)?.[0] ?? 1), WORKER_SIZES.length) - 1;
  const size = { workerSize: WORKER_SIZES[Math.max(sizeId, 0)], workerSizeId: Math.max(sizeId, 0) };
  return {
    id: planIdOf(plan),
    ...{ name: plan.name, type: 'Microsoft.Web/serverfarms', kind },
    location: isRead ? locationDisplayName(plan.location) : answers.askedLocation,
    ...(tags === null ? {} : { tags }),
    properties: {
      ...{ serverFarmId: stampId, name: plan.name },
      ...(isRead ? {} : { sku }),
      ...{ ...size, workerTierName: null, numberOfWorkers: sku.capacity },
      ...{ currentWorkerSize: size.workerSize, currentWorkerSizeId: size.workerSizeId },
      ...{ currentNumberOfWorkers: sku.capacity, status: 'Ready', webSpace: webSpaceOf(plan) },
      ...{ subscription: plan.subscriptionId, adminSiteName: null, hostingEnvironment: null },
      hostingEnvironmentProfile: null,
      maximumNumberOfWorkers: isRead ? (MAX_WORKERS[sku.tier] ?? MAX_WORKERS_ELSE) : 0,
      ...{ planName: 'VirtualDedicatedPlan', adminRuntimeSiteName: null },
      ...{ computeMode: tierOf(sku.name)?.computeMode ?? 'Dedicated', siteMode: null },
      ...{ geoRegion: locationDisplayName(plan.location), perSiteScaling: false },
      ...{ elasticScaleEnabled: kind === 'elastic', maximumElasticWorkerCount: 1, numberOfSites },
      ...{
        hostingEnvironmentId: null,
        isSpot: false,
        spotExpirationTime: null,
        freeOfferExpirationTime: null,
      },
      ...{ tags, kind, resourceGroup: plan.resourceGroup, reserved: plan.reserved, isXenon: false },
      ...{
        hyperV: false,
        mdmId: `waws-prod-local-001_${stampId}`,
        targetWorkerCount: 0,
        targetWorkerSizeId: 0,
      },
      ...{ provisioningState: 'Succeeded', webSiteId: null, existingServerFarmIds: null },
      ...{ kubeEnvironmentProfile: null, zoneRedundant: false, migrateToVMSS: null },
      ...{ vnetConnectionsUsed: isRead ? 0 : null, vnetConnectionsMax: isRead ? MAX_VNETS : null },
      createdTime: webTime(plan.createdAt),
    },
    sku,
  };
}

/** `local-WestEuropewebspace`: where Azure keeps the apps of a group and region. */
export function webSpaceOf({ resourceGroup, location, reserved }: PlanState): string {
  const region = locationDisplayName(location).replaceAll(' ', '');
  return `${resourceGroup}-${region}webspace${reserved ? '-Linux' : ''}`;
}

/** App Service's times are in UTC and do not say so. */
export function webTime(iso: string): string {
  return iso.replace(/Z$/, '');
}

/** Always the same number for a name; Azure's has five digits. */
function numberFor(name: string): number {
  return createHash('sha256').update(name.toLowerCase()).digest().readUInt32BE(0) % 100_000;
}
