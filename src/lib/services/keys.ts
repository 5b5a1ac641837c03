/**
 * New keys for a rule without an outage: apps that send with a key are first moved to the other one, which stays good,
 * and then the key is made anew. What to do is planned from what is there, so that it can be shown and not done.
 */
import type { Azure } from '../arm/azure.ts';
import type { RuleOwner } from '../arm/references.ts';
import { listKeys, regenerateKey, type KeyName, type RuleKeys } from '../arm/rules.ts';
import { putSiteRelay } from '../arm/site-relays.ts';
import { appName } from '../arm/apps.ts';
import { readSendKey, type Attachment } from './apps.ts';
import { findRuleUsers } from './rule-users.ts';
import { matchKey, type SendKeyState } from './send-keys.ts';
import { Steps } from './steps.ts';

export type RotationStep =
  | { readonly step: 'move'; readonly attachment: Attachment; readonly to: KeyName }
  | { readonly step: 'regenerate'; readonly key: KeyName };

export interface RotationPlan {
  readonly owner: RuleOwner;
  readonly rule: string;
  readonly steps: readonly RotationStep[];
}

export interface RotationRequest {
  owner: RuleOwner;
  rule: string;
  keys: readonly KeyName[];
  /** False: no app is looked for, and none is moved. */
  moveApps: boolean;
}

/** What a rotation would do. Writes nothing. */
export async function planRotation(azure: Azure, request: RotationRequest): Promise<RotationPlan> {
  const { owner, rule, keys } = request;
  const users = request.moveApps ? await findKeyUsers(azure, request) : [];
  return { owner, rule, steps: rotationSteps(keys, users) };
}

/** An app that sends with the rule, and with which of its keys. */
export interface KeyUser {
  readonly attachment: Attachment;
  readonly has: SendKeyState;
}

/** Pure: for each key, those off it who are or may be on it, then the key. */
export function rotationSteps(keys: readonly KeyName[], users: readonly KeyUser[]): RotationStep[] {
  const on = new Map<KeyUser, SendKeyState>(users.map((user) => [user, user.has]));
  return keys.flatMap((key) => {
    const to: KeyName = key === 'primary' ? 'secondary' : 'primary';
    const moves = users
      .filter((user) => on.get(user) !== to)
      .map((user): RotationStep => {
        on.set(user, to);
        return { step: 'move', attachment: user.attachment, to };
      });
    return [...moves, { step: 'regenerate', key }];
  });
}

/**
 * Does the steps of a plan, one after the other.
 * @throws HcmError of the step that failed, with what was done before it: no app is on a key that is not good.
 */
export async function rotateKeys(azure: Azure, plan: RotationPlan): Promise<void> {
  const { owner, rule } = plan;
  const progress = new Steps(azure);
  let keys = await listKeys(azure, owner, rule);
  for (const step of plan.steps) {
    const text = describeStep(step);
    if (step.step === 'move') {
      await progress.run(text, () => moveApp(azure, step, keys));
    } else {
      keys = await progress.run(text, () => regenerateKey(azure, { owner, rule, key: step.key }));
    }
  }
}

/** As people read it, at every time. */
export function describeStep(step: RotationStep): { would: string; doing: string; done: string } {
  if (step.step === 'regenerate') {
    const what = `the ${step.key} key`;
    return { would: `would regenerate ${what}`, doing: `regenerating ${what}`, done: `regenerated ${what}` };
  }
  const { app, relay } = step.attachment;
  const what = `the app "${appName(app)}" (${relay.namespace}/${relay.connection}) to the ${step.to} key`;
  return { would: `would move ${what}`, doing: `moving ${what}`, done: `moved ${what}` };
}

async function moveApp(
  azure: Azure,
  { attachment: { app, relay }, to }: { attachment: Attachment; to: KeyName },
  keys: RuleKeys,
): Promise<void> {
  const key = to === 'primary' ? keys.primaryKey : keys.secondaryKey;
  await putSiteRelay(azure.in(app.subscriptionId), app, { ...relay, key });
}

/**
 * A plan tells one key for a connection, whichever of its apps that is of: of several apps in a plan nobody can say
 * which key each has.
 */
async function findKeyUsers(azure: Azure, { owner, rule }: RotationRequest): Promise<KeyUser[]> {
  const attachments = await findRuleUsers(azure, owner, rule);
  if (attachments.length === 0) return [];
  const keys = await listKeys(azure, owner, rule);
  const places = attachments.map(({ app, relay }) =>
    `${app.planId} ${relay.namespace}/${relay.connection}`.toLowerCase(),
  );
  return Promise.all(
    attachments.map(async (attachment, index): Promise<KeyUser> => {
      const isAlone = places.filter((place) => place === places[index]).length === 1;
      const sent = isAlone ? await readSendKey(azure, attachment) : undefined;
      return { attachment, has: sent === undefined ? 'unknown' : matchKey(sent.key, keys) };
    }),
  );
}
