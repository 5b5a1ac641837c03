/** The apps that a file names: found in Azure, each subscription listed once, and all that are missing told at once. */
import { HcmError } from '../../../protocol/errors.ts';
import { appName, getApp, listApps, type App } from '../../arm/apps.ts';
import type { Azure } from '../../arm/azure.ts';
import { listSubscriptions } from '../../arm/subscriptions.ts';
import { orGone } from '../../arm/web-call.ts';
import { findSubscription } from '../../auth/subscriptions.ts';
import type { AppDeclaration, AzureDeclaration } from '../../config/hcm-yaml/declaration.ts';
import { formatPlace } from '../../config/hcm-yaml/faults.ts';
import { mapAtMost } from '../parallel.ts';
import { sameName } from './existing.ts';

export interface AppSearch {
  /** The name of the file, for messages. */
  file: string;
  /** An app that is gone has nothing attached: enough for destroy. */
  mayBeGone: boolean;
}

/** Calls in flight: quick, and far from what ARM throttles. */
const CALLS_AT_ONCE = 4;
/** What Azure calls the app itself where it asks for a slot. */
const PRODUCTION = 'production';

/**
 * The app that each declaration means; without those that are gone, where they may be.
 * @throws HcmError HCM_RESOURCE_NOT_FOUND, HCM_RESOURCE_AMBIGUOUS, with the place of each in the file.
 */
export async function findDeclaredApps(
  azure: Azure,
  declared: AzureDeclaration,
  search: AppSearch,
): Promise<Map<AppDeclaration, App>> {
  const apps = declared.namespaces.flatMap(({ connections }) => connections.flatMap((one) => one.apps));
  const listed = new Map<string, Promise<App[]>>();
  const others = apps.some(({ subscription }) => subscription !== undefined)
    ? await listSubscriptions(azure)
    : [];
  const problems: HcmError[] = [];
  const found = new Map<AppDeclaration, App>();
  await mapAtMost(CALLS_AT_ONCE, apps, async (app) => {
    const subscriptionId =
      app.subscription === undefined
        ? azure.subscriptionId
        : findSubscription(others, app.subscription).subscriptionId;
    const there = azure.in(subscriptionId);
    const all = listed.get(subscriptionId) ?? listApps(there);
    listed.set(subscriptionId, all);
    try {
      const one = await findOne(there, app, await all);
      if (one) found.set(app, one);
      else if (!search.mayBeGone) problems.push(notFound(app, search.file));
    } catch (error) {
      if (!(error instanceof HcmError) || error.code !== 'HCM_RESOURCE_AMBIGUOUS') throw error;
      problems.push(error);
    }
  });
  throwProblems(problems);
  return found;
}

async function findOne(
  azure: Azure,
  declared: AppDeclaration,
  all: readonly App[],
): Promise<App | undefined> {
  const { name, slot, resourceGroup } = declared;
  const named = all.filter(
    (app) =>
      sameName(app.name, name) && (resourceGroup === undefined || sameName(app.resourceGroup, resourceGroup)),
  );
  const [app] = named;
  if (named.length > 1) throw ambiguous(declared, named);
  if (app === undefined || slot === undefined || sameName(slot, PRODUCTION)) return app;
  return orGone(getApp(azure, { ...app, slot }));
}

function notFound(app: AppDeclaration, file: string): HcmError {
  const where = app.resourceGroup === undefined ? '' : ` in the resource group "${app.resourceGroup}"`;
  const at = app.at === undefined ? '' : `${formatPlace(file, app.at)}: `;
  const next =
    app.subscription === undefined ? 'hcm app list' : `hcm app list --subscription ${app.subscription}`;
  return new HcmError('HCM_RESOURCE_NOT_FOUND', `${at}there is no app "${appName(app)}"${where}.`, {
    details: { next },
  });
}

function ambiguous({ name }: AppDeclaration, named: readonly App[]): HcmError {
  const groups = named.map((app) => app.resourceGroup).join(', ');
  return new HcmError(
    'HCM_RESOURCE_AMBIGUOUS',
    `There are ${named.length} apps "${name}", in the resource groups ${groups}.`,
    { details: { next: `Say which one in the file: {name: ${name}, resourceGroup: GROUP}` } },
  );
}

function throwProblems(problems: readonly HcmError[]): void {
  const [first] = problems;
  if (first === undefined) return;
  if (problems.length === 1) throw first;
  const messages = problems.map(({ message }) => message).sort();
  throw new HcmError(first.code, `${problems.length} apps were not found:\n  ${messages.join('\n  ')}`, {
    details: first.details,
  });
}
