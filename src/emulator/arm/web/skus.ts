/** Pricing tiers of App Service: what a SKU's name says, and how many hybrid connections and slots it allows. */
import type { SkuState } from '../../web-state.ts';

export interface Tier {
  /** `PremiumV3` */
  readonly name: string;
  /** `Pv3` */
  readonly family: string;
  readonly computeMode: 'Shared' | 'Dedicated' | 'Dynamic';
  /** Hybrid connections, counted over all apps of the plan or in each app. */
  readonly hybridConnections: { readonly maximum: number; readonly per: 'plan' | 'app' };
  /** Deployment slots of an app, without production. */
  readonly slots: number;
}

const NONE = { maximum: 0, per: 'plan' } as const;
const FIVE_A_PLAN = { maximum: 5, per: 'plan' } as const;
const TWENTY_FIVE_A_PLAN = { maximum: 25, per: 'plan' } as const;
const MANY_AN_APP = { maximum: 220, per: 'app' } as const;

/**
 * SKU names to tiers. Hybrid connections: app-service-hybrid-connections.md of May 2025, which does not name Isolated
 * (v1), Elastic Premium and PremiumV4; they are taken for Premium. Slots: azure-subscription-service-limits.
 */
const TIERS: readonly (readonly [RegExp, Tier])[] = [
  [/^F1$/, tier('Free', 'F', 'Shared', NONE, 0)],
  [/^D1$/, tier('Shared', 'D', 'Shared', NONE, 0)],
  [/^B[123]$/, tier('Basic', 'B', 'Dedicated', FIVE_A_PLAN, 0)],
  [/^S[123]$/, tier('Standard', 'S', 'Dedicated', TWENTY_FIVE_A_PLAN, 5)],
  [/^P[123]$/, tier('Premium', 'P', 'Dedicated', MANY_AN_APP, 20)],
  [/^P[123]V2$/, tier('PremiumV2', 'Pv2', 'Dedicated', MANY_AN_APP, 20)],
  [/^P[0-5]M?V3$/, tier('PremiumV3', 'Pv3', 'Dedicated', MANY_AN_APP, 20)],
  [/^P[0-5]M?V4$/, tier('PremiumV4', 'Pv4', 'Dedicated', MANY_AN_APP, 20)],
  [/^I[123]$/, tier('Isolated', 'I', 'Dedicated', MANY_AN_APP, 20)],
  [/^I[1-6]M?V2$/, tier('IsolatedV2', 'Iv2', 'Dedicated', MANY_AN_APP, 20)],
  [/^EP[123]$/, tier('ElasticPremium', 'EP', 'Dedicated', MANY_AN_APP, 3)],
  [/^Y1$/, tier('Dynamic', 'Y', 'Dynamic', NONE, 1)],
  [/^FC1$/, tier('FlexConsumption', 'FC', 'Dynamic', NONE, 0)],
];

/** SKUs that are meant when only their tier is said. */
const DEFAULT_SKUS: Readonly<Record<string, string>> = {
  ...{ free: 'F1', shared: 'D1', basic: 'B1', standard: 'S1', premium: 'P1', premiumv2: 'P1v2' },
  ...{ premiumv3: 'P1v3', isolatedv2: 'I1v2', dynamic: 'Y1', elasticpremium: 'EP1' },
};

export function tierOf(skuName: string): Tier | undefined {
  return TIERS.find(([pattern]) => pattern.test(skuName.toUpperCase()))?.[1];
}

/**
 * The SKU that a client means, from `{name}`, `{size, tier}` or `{tier}`, in any case; undefined when there is none.
 * `existing` gives what is left out of a change.
 */
export function parseSku(value: unknown, existing?: SkuState): SkuState | undefined {
  if (typeof value !== 'object' || value === null) return existing;
  const given = value as Record<string, unknown>;
  const named = [given['name'], given['size']].find((text): text is string => typeof text === 'string');
  const byTier = typeof given['tier'] === 'string' ? DEFAULT_SKUS[given['tier'].toLowerCase()] : undefined;
  const name = (named ?? byTier ?? existing?.name)
    ?.toUpperCase()
    .replace(/V(?=\d$)|M(?=V)/g, (letter) => letter.toLowerCase());
  const found = name === undefined ? undefined : tierOf(name);
  if (name === undefined || found === undefined) return undefined;
  const capacity = typeof given['capacity'] === 'number' ? given['capacity'] : existing?.capacity;
  const instances = found.computeMode === 'Dedicated' ? (capacity ?? 1) : 0;
  return { name, tier: found.name, size: name, family: found.family, capacity: instances };
}

function tier(
  name: string,
  family: string,
  computeMode: Tier['computeMode'],
  hybridConnections: Tier['hybridConnections'],
  slots: number,
): Tier {
  return { name, family, computeMode, hybridConnections, slots };
}
