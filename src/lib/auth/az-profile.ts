/**
 * What the az CLI knows about its user's subscriptions, from its own file: reading it takes no time, where asking `az`
 * takes a second. Without the file nothing is known, and that is no error.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface AzSubscription {
  readonly id: string;
  readonly name: string;
  readonly tenantId: string;
  readonly isDefault: boolean;
  /** `someone@example.com`, or an app's id. */
  readonly user: string;
}

/** az's names of the clouds that it has built in. */
const AZ_CLOUDS: Readonly<Record<string, string>> = {
  public: 'AzureCloud',
  usgov: 'AzureUSGovernment',
  china: 'AzureChinaCloud',
};

/** The subscriptions of this cloud. */
export async function loadAzSubscriptions(
  env: Readonly<Record<string, string | undefined>>,
  cloud: string,
): Promise<AzSubscription[]> {
  const folder = env['AZURE_CONFIG_DIR'] || join(env['HOME'] || homedir(), '.azure');
  const text = await readFile(join(folder, 'azureProfile.json'), 'utf8').catch(() => '');
  const ofCloud = (name: string) =>
    AZ_CLOUDS[cloud] === undefined ? !Object.values(AZ_CLOUDS).includes(name) : name === AZ_CLOUDS[cloud];
  return parse(text)
    .filter(({ environmentName = '' }) => ofCloud(environmentName))
    .map(describe);
}

interface ProfileEntry {
  id?: string;
  name?: string;
  tenantId?: string;
  isDefault?: boolean;
  environmentName?: string;
  user?: { name?: string };
}

function parse(text: string): ProfileEntry[] {
  try {
    // az writes it with a byte order mark.
    const { subscriptions } = JSON.parse(text.replace(/^\uFEFF/, '')) as { subscriptions?: ProfileEntry[] };
    return Array.isArray(subscriptions) ? subscriptions : [];
  } catch {
    return [];
  }
}

function describe({ id = '', name = '', tenantId = '', isDefault = false, user }: ProfileEntry) {
  return { id, name, tenantId, isDefault, user: user?.name ?? '' };
}
