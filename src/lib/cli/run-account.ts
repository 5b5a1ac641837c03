/** The commands about the sign-in: as whom, which subscriptions, and which of them is used. */
import { HcmError } from '../../protocol/errors.ts';
import { openAzure } from '../arm/azure.ts';
import { listSubscriptions, type Subscription } from '../arm/subscriptions.ts';
import { readIdentity } from '../auth/identity.ts';
import type { Session } from '../auth/session.ts';
import { selectSubscription } from '../auth/sign-in.ts';
import { findSubscription } from '../auth/subscriptions.ts';
import { statePaths } from '../config/paths.ts';
import { interruptSignal, openSessionFor, type AzureRequest } from './azure-session.ts';
import { METHOD_NAMES, NO_SUBSCRIPTION } from './run-login.ts';
import { printFields, printTable } from './table.ts';

type AccountRun = AzureRequest & { json: boolean };

/** Asks for a token, so that what it shows is true. */
export async function showAccount(run: AccountRun): Promise<void> {
  const { session, known } = await lookAround(run);
  const token = await session.credential.getToken(session.cloud.armScope, { enableCae: true });
  const who = readIdentity(token?.token ?? '');
  const { cloud, method } = session;
  const current = currentOf(session, known, run.flags.subscription);
  const account = session.account ?? who.name;
  const tenantId = who.tenantId ?? session.tenantId;
  const subscriptionName = current?.displayName;
  const subscriptionId = current?.subscriptionId ?? session.subscriptionId;
  if (run.json) {
    const shown = { cloud: cloud.name, method, account, tenantId, subscriptionId, subscriptionName };
    return run.output.json({ ...shown, armEndpoint: cloud.armEndpoint });
  }
  printFields(run.output, [
    ['cloud', `${cloud.name} (${cloud.armEndpoint})`],
    ['account', account],
    ['signed in', METHOD_NAMES[method]],
    ['tenant', tenantId],
    ['subscription', subscriptionText(subscriptionId, subscriptionName)],
  ]);
  if (subscriptionId === undefined) run.output.next('hcm account set --subscription NAME');
}

export async function listAccounts(run: AccountRun): Promise<void> {
  const { session, known } = await lookAround(run);
  const current = currentOf(session, known, run.flags.subscription);
  const described = known.map((subscription) => ({ ...subscription, current: subscription === current }));
  if (run.json) return run.output.json(described);
  printTable(
    run.output,
    [
      { title: '', value: (row) => (row.current ? '*' : ' ') },
      { title: 'SUBSCRIPTION', value: (row) => row.displayName },
      { title: 'ID', value: (row) => row.subscriptionId },
      { title: 'STATE', value: (row) => row.state },
      { title: 'TENANT', value: (row) => row.tenantId },
    ],
    described,
    NO_SUBSCRIPTION,
  );
}

export async function setSubscription(run: AccountRun): Promise<void> {
  const { flags, output, json, env = process.env } = run;
  const wanted = flags.subscription ?? env['AZURE_SUBSCRIPTION_ID'];
  if (!wanted) {
    throw new HcmError('HCM_INPUT_NEEDED', 'Which subscription is to be used?', {
      details: { next: 'hcm account set --subscription NAME' },
    });
  }
  const { session, known } = await lookAround(run);
  const chosen = findSubscription(known, wanted);
  const { directory } = statePaths(env);
  await selectSubscription({ directory, cloud: session.cloud.name }, chosen, flags.tenant);
  if (json) return output.json({ ...chosen, current: true });
  output.answer(
    `Commands use the subscription ${subscriptionText(chosen.subscriptionId, chosen.displayName)}`,
  );
}

async function lookAround(run: AccountRun): Promise<{ session: Session; known: Subscription[] }> {
  const signal = interruptSignal();
  const session = await openSessionFor(run);
  const azure = openAzure(session, {
    ...{ subscriptionId: '', signal },
    report: (message) => run.output.say(message),
  });
  const known = await listSubscriptions(azure);
  return { session, known: known.sort((a, b) => a.displayName.localeCompare(b.displayName)) };
}

/** The one that commands would use now. */
function currentOf(
  { subscriptionId }: Session,
  known: readonly Subscription[],
  wanted: string | undefined,
): Subscription | undefined {
  const named = wanted ?? subscriptionId;
  if (named === undefined) return known.length === 1 ? known[0] : undefined;
  const text = named.toLowerCase();
  return known.find(
    (one) => one.subscriptionId.toLowerCase() === text || one.displayName.toLowerCase() === text,
  );
}

function subscriptionText(id: string | undefined, name: string | undefined): string {
  return id === undefined ? 'none chosen' : name === undefined ? `${id} (not visible)` : `${name} (${id})`;
}
