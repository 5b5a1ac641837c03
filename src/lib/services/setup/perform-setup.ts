/** Does what a plan of the wizard says, in its order, by the services of the single commands: each keeps what is there. */
import { HcmError } from '../../../protocol/errors.ts';
import { appName } from '../../arm/apps.ts';
import type { Azure } from '../../arm/azure.ts';
import { attachConnection, type AttachResult } from '../attach.ts';
import type { WantedConnection } from '../connection-access.ts';
import type { ConnectionView } from '../connection-view.ts';
import { createConnection } from '../connections.ts';
import { createNamespace, type NamespaceResult } from '../namespaces.ts';
import { appId, type SetupAnswers } from './answers.ts';
import type { SetupPlan } from './setup-plan.ts';

export interface SetupResult {
  /** False: all of it was there. */
  readonly changed: boolean;
  readonly namespace: NamespaceResult;
  readonly connection: ConnectionView;
  /** Undefined without an app. */
  readonly attached: AttachResult | undefined;
}

export interface Performing {
  /** How long to wait for a namespace. */
  timeoutMs: number;
  /** After each step, with what is there now. */
  readonly onDone: (what: string) => void;
}

/**
 * Resolves when all is there. What fails half-way says what exists, and names the command that goes on.
 * @throws HcmError as createNamespace, createConnection and attachConnection.
 */
export async function performSetup(
  azure: Azure,
  plan: SetupPlan,
  { timeoutMs, onDone }: Performing,
): Promise<SetupResult> {
  const { answers } = plan;
  const done: string[] = [];
  const note = (changed: boolean, made: string, kept: string) => {
    if (changed) done.push(made);
    onDone(changed ? made : kept);
  };
  try {
    const namespace = await createNamespace(azure, {
      ...placeOf(answers),
      ...{ createResourceGroup: true, wait: true, timeoutMs },
    });
    const { name, subscriptionId, resourceGroup } = namespace.namespace;
    note(namespace.created, `created the namespace ${name}`, `the namespace ${name} was there`);

    const wanted: WantedConnection = {
      ...{ namespace: name, name: answers.connection, subscriptionId, resourceGroup },
    };
    const { target } = answers;
    const { changed, connection } = await createConnection(azure, { connection: wanted, target, timeoutMs });
    const label = `the hybrid connection ${plan.connection}`;
    note(changed, `created ${label}`, `${label} was there`);

    const attached = await attach(azure, answers, wanted);
    if (attached !== undefined) {
      const app = appName(attached.app);
      note(attached.changed, `attached it to ${app}`, `${app} had it, with a good key`);
    }
    return { changed: done.length > 0, namespace, connection, attached };
  } catch (error) {
    throw withRest(error, done, plan);
  }
}

function placeOf({ namespace }: SetupAnswers) {
  if (namespace.kind === 'new') {
    const { name, resourceGroup, location } = namespace;
    return { name, resourceGroup, location };
  }
  const { name, resourceGroup } = namespace.namespace;
  return { name, resourceGroup };
}

async function attach(
  azure: Azure,
  { app, target }: SetupAnswers,
  connection: WantedConnection,
): Promise<AttachResult | undefined> {
  if (app === undefined) return undefined;
  return attachConnection(azure, { app: appId(app), slot: app.slot, connection, target });
}

/** The steps of one service speak for themselves; what was done before them is added. */
function withRest(error: unknown, done: readonly string[], { again }: SetupPlan): unknown {
  if (!(error instanceof HcmError)) return error;
  const { code, message, retryable, details } = error;
  const interrupted = code === 'HCM_INTERRUPTED';
  if (!interrupted && done.length === 0) return error;
  const before = done.length === 0 ? '' : ` Before that, hcm ${done.join('; ')}: all of it stays.`;
  const next = interrupted || details['next'] === undefined ? again : details['next'];
  return new HcmError(code, `${message}${before}`, {
    ...{ retryable, details: { ...details, next }, cause: error },
  });
}
