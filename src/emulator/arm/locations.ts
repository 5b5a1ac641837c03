/** Azure's regions, by the two names that each has. Compared without case and spaces, as ARM does. */

const LOCATIONS: Readonly<Record<string, string>> = {
  eastus: 'East US',
  eastus2: 'East US 2',
  southcentralus: 'South Central US',
  westus2: 'West US 2',
  westus3: 'West US 3',
  australiaeast: 'Australia East',
  southeastasia: 'Southeast Asia',
  northeurope: 'North Europe',
  swedencentral: 'Sweden Central',
  uksouth: 'UK South',
  westeurope: 'West Europe',
  centralus: 'Central US',
  southafricanorth: 'South Africa North',
  centralindia: 'Central India',
  eastasia: 'East Asia',
  japaneast: 'Japan East',
  koreacentral: 'Korea Central',
  canadacentral: 'Canada Central',
  francecentral: 'France Central',
  germanywestcentral: 'Germany West Central',
  italynorth: 'Italy North',
  norwayeast: 'Norway East',
  polandcentral: 'Poland Central',
  spaincentral: 'Spain Central',
  switzerlandnorth: 'Switzerland North',
  uaenorth: 'UAE North',
  brazilsouth: 'Brazil South',
  northcentralus: 'North Central US',
  westus: 'West US',
  westcentralus: 'West Central US',
  australiasoutheast: 'Australia Southeast',
  japanwest: 'Japan West',
  koreasouth: 'Korea South',
  southindia: 'South India',
  canadaeast: 'Canada East',
  ukwest: 'UK West',
};

/** As `West Europe`. */
export const LOCATION_NAMES: readonly string[] = Object.values(LOCATIONS);

/** `West Europe` and `westeurope` are one: the second. */
export function locationId(location: string): string {
  return location.toLowerCase().replaceAll(' ', '');
}

/** `westeurope` as `West Europe`; what is not known stays as it is. */
export function locationDisplayName(location: string): string {
  return LOCATIONS[locationId(location)] ?? location;
}

export function isLocation(location: string): boolean {
  return LOCATIONS[locationId(location)] !== undefined;
}

/** Without spaces and capitals. */
export function locationNames(locations: readonly string[]): string[] {
  return locations.map(locationId);
}
