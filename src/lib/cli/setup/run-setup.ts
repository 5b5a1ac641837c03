/**
 * `hcm setup`: asks, shows the plan, asks whether to do it, does it, and listens or tells what does. Until the yes it
 * only reads, and whoever leaves before is told that nothing was changed.
 */
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { HcmError } from '../../../protocol/errors.ts';
import { systemClock } from '../../../tunnel/clock.ts';
import { orAborted } from '../../../tunnel/network-errors.ts';
import type { Azure } from '../../arm/azure.ts';
import { accessByKey } from '../../services/connection-access.ts';
import { namespaceName } from '../../services/setup/answers.ts';
import { performSetup, type SetupResult } from '../../services/setup/perform-setup.ts';
import { planSetup, type SetupPlan } from '../../services/setup/setup-plan.ts';
import { createSetupReader } from '../../services/setup/setup-reader.ts';
import type { AzureFlags } from '../azure-flags.ts';
import { interruptSignal } from '../azure-session.ts';
import { EventPresenter } from '../event-presenter.ts';
import { networkOptions } from '../network-flags.ts';
import type { Output } from '../output.ts';
import { runListeners } from '../run-listeners.ts';
import { STOP_SIGNALS } from '../stop-signals.ts';
import { isInteractive } from '../terminal.ts';
import { askSetup } from './ask-setup.ts';
import { look, type Asking, type GivenAnswers } from './asking.ts';
import { nobodyToAsk, takingProposals, type Prompts } from './prompts.ts';
import { openSetupSession, type SetupSession } from './setup-session.ts';
import { printResult, sayPlan, sayWelcome, setupJson } from './setup-presenter.ts';
import { terminalPrompts } from './terminal-prompts.ts';

export interface SetupRun {
  flags: AzureFlags & { json: boolean; 'no-input': boolean };
  given: GivenAnswers;
  yes: boolean;
  json: boolean;
  output: Output;
  /** How long to wait for a namespace. */
  timeoutMs: number;
  graceMs: number;
  env?: NodeJS.ProcessEnv;
  /** For tests: who answers, instead of the terminal. */
  prompts?: Prompts;
}

/** Resolves with the exit status. @throws HcmError HCM_INTERRUPTED, HCM_INPUT_NEEDED, and of all that is done. */
export async function runSetup(run: SetupRun): Promise<number> {
  const interrupt = new Interrupt();
  try {
    const { session, plan } = await prepare(run, interrupt.signal);
    const result = await perform(run, session.azure, plan);
    if (!plan.answers.listen) return 0;
    interrupt.release();
    return await listenHere(run, session.lasting, plan, result);
  } finally {
    interrupt.release();
  }
}

/** All that comes before the yes. */
async function prepare(
  run: SetupRun,
  signal: AbortSignal,
): Promise<{ session: SetupSession; plan: SetupPlan }> {
  const { flags, output, json, yes, env = process.env } = run;
  const interactive = run.prompts !== undefined || isInteractive({ json, noInput: flags['no-input'] }, env);
  const asked = run.prompts ?? (interactive ? terminalPrompts({ output, signal }) : nobodyToAsk);
  const prompts = yes ? takingProposals(asked) : asked;
  let signedIn = false;
  try {
    if (interactive) sayWelcome(output);
    const onSignedIn = () => (signedIn = true);
    const opening = openSetupSession({
      ...{ flags, output, prompts, signal, interactive, onSignedIn, env },
    });
    // What only reads may be left behind: nobody waits for a network that does not answer.
    const session = await orAborted(opening, signal);
    const asking: Asking = {
      ...{ prompts, talk: output, given: run.given },
      reader: createSetupReader(session.azure, { clock: systemClock }),
      randomEnding: () => randomBytes(2).toString('hex'),
    };
    const plan = await orAborted(planFor(asking, session), signal);
    if (!json) sayPlan(output, plan);
    await agree(asking, yes);
    return { session, plan };
  } catch (error) {
    throw unchanged(error, signedIn);
  }
}

async function planFor(asking: Asking, { context }: SetupSession): Promise<SetupPlan> {
  const answers = await askSetup(asking);
  const existing = await look(asking, 'looking at what is there', asking.reader.existing(answers));
  return planSetup(answers, existing, context);
}

/** @throws HcmError HCM_INTERRUPTED for a no. */
async function agree({ prompts }: Asking, yes: boolean): Promise<void> {
  const question = { id: 'confirm', message: 'Do it?', flag: '--yes', proposal: true };
  if (yes || (await prompts.yesNo(question))) return;
  throw new HcmError('HCM_INTERRUPTED', 'You did not say yes.');
}

function unchanged(error: unknown, signedIn: boolean): unknown {
  if (!(error instanceof HcmError) || error.code !== 'HCM_INTERRUPTED') return error;
  const kept = signedIn ? ' You stay signed in (hcm logout).' : '';
  return new HcmError('HCM_INTERRUPTED', `The wizard was left, and nothing was changed.${kept}`, {
    details: { ...error.details, next: 'hcm setup' },
    cause: error,
  });
}

async function perform(run: SetupRun, azure: Azure, plan: SetupPlan): Promise<SetupResult> {
  const { output, json, timeoutMs } = run;
  const result = await performSetup(azure, plan, {
    timeoutMs,
    onDone: (what) => output.say(`${output.paint.green('✔')} ${what}`),
  });
  output.wipeProgress();
  if (json) output.json(setupJson(plan, result));
  else printResult(output, plan);
  return result;
}

async function listenHere(
  { flags, output, graceMs }: SetupRun,
  azure: Azure,
  { answers }: SetupPlan,
  { namespace }: SetupResult,
): Promise<number> {
  const { subscriptionId, resourceGroup } = namespace.namespace;
  const wanted = {
    ...{ subscriptionId, resourceGroup },
    ...{ namespace: namespaceName(answers.namespace), name: answers.connection },
  };
  const connection = await accessByKey(azure, wanted, 'Listen');
  const network = await networkOptions({ ...flags, keepalive: 'ping' }, output);
  return runListeners({
    listeners: [{ connection, options: { ...network, target: answers.target } }],
    events: new EventPresenter(output, false),
    graceMs,
  });
}

/** Ctrl-C while Azure is asked or changed; given back before the listener, which has its own way with it. */
class Interrupt {
  readonly #signals = new EventEmitter();
  readonly signal = interruptSignal({ signals: this.#signals });
  readonly #pass = (name: NodeJS.Signals) => this.#signals.emit(name, name);

  constructor() {
    for (const name of STOP_SIGNALS) process.on(name, this.#pass);
  }

  release(): void {
    for (const name of STOP_SIGNALS) process.off(name, this.#pass);
  }
}
