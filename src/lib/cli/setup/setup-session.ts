/** The first questions of the wizard: as whom, and in which subscription. Signs in where that is needed. */
import { HcmError } from '../../../protocol/errors.ts';
import { orAborted } from '../../../tunnel/network-errors.ts';
import { openAzure, type Azure } from '../../arm/azure.ts';
import { listSubscriptions, type Subscription } from '../../arm/subscriptions.ts';
import type { AuthMethod } from '../../auth/account.ts';
import { LOCAL_CLOUD } from '../../auth/cloud.ts';
import { loadClouds } from '../../auth/clouds.ts';
import type { Session } from '../../auth/session.ts';
import { findSubscription, openAzureIn } from '../../auth/subscriptions.ts';
import { statePaths } from '../../config/paths.ts';
import type { AzureFlags } from '../azure-flags.ts';
import { openSessionFor, promptOn, sessionRequest } from '../azure-session.ts';
import type { Output } from '../output.ts';
import { userAgent } from '../package-file.ts';
import { canOpenBrowser } from '../terminal.ts';
import type { Choice, Prompts } from './prompts.ts';

export interface SetupSession {
  azure: Azure;
  /** As `azure`, for what runs on after Ctrl-C: the keys of a listener. */
  lasting: Azure;
  /** The flags that other commands need to mean the same. */
  context: readonly string[];
}

export interface SetupSessionRequest {
  flags: AzureFlags & { json: boolean; 'no-input': boolean };
  output: Output;
  prompts: Prompts;
  signal: AbortSignal;
  /** Somebody is there who can sign in. */
  interactive: boolean;
  /** Called when a sign-in is remembered: that lasts, whatever comes of the wizard. */
  onSignedIn(): void;
  env: NodeJS.ProcessEnv;
}

interface Opened {
  session: Session;
  subscriptions: readonly Subscription[];
  flags: SetupSessionRequest['flags'];
}

/** @throws HcmError HCM_SIGN_IN_REQUIRED when nobody is there to sign in, HCM_SUBSCRIPTION_MISSING, and of any call. */
export async function openSetupSession(request: SetupSessionRequest): Promise<SetupSession> {
  const { output, signal } = request;
  const opened = await openUntilSignedIn(request);
  const { session, flags } = opened;
  const chosen = await chooseSubscription(request, opened);
  const subscriptionId =
    chosen?.subscriptionId ?? (await openAzureIn(session, flags.subscription, {})).subscriptionId;
  output.wipeProgress();
  const { green, bold } = output.paint;
  const who = session.account === undefined ? '' : ` as ${session.account}`;
  const where = chosen?.displayName ?? subscriptionId;
  output.say(`${green('✔')} Signed in to ${bold(session.cloud.name)}${who}. Subscription: ${where}`);
  const options = {
    ...{ subscriptionId, userAgent: userAgent() },
    report: (message: string) => output.progress(message),
  };
  return {
    azure: openAzure(session, { ...options, signal }),
    lasting: openAzure(session, options),
    context: contextOf(opened, chosen),
  };
}

async function openUntilSignedIn(request: SetupSessionRequest): Promise<Opened> {
  const { output, interactive } = request;
  let { flags } = request;
  for (;;) {
    try {
      return await open({ ...request, flags });
    } catch (error) {
      if (!interactive || !isSignInError(error)) throw error;
      output.warn(error.message);
    }
    flags = await signInSomehow({ ...request, flags });
  }
}

/** Azure tells only at the first call whether the sign-in is good. */
async function open({ flags, output, signal, env }: SetupSessionRequest): Promise<Opened> {
  output.progress('looking whether you are signed in');
  const session = await openSessionFor({ flags, output, env });
  const azure = openAzure(session, { subscriptionId: '', signal, userAgent: userAgent() });
  return { session, flags, subscriptions: await listSubscriptions(azure) };
}

type Way = 'device' | 'browser' | 'again' | 'local';

/** Asks until one way works. Resolves with the flags that mean it. */
async function signInSomehow(request: SetupSessionRequest): Promise<SetupSessionRequest['flags']> {
  const { flags, output, prompts, env } = request;
  for (;;) {
    const way = await prompts.select<Way>({
      ...{ id: 'sign-in', message: 'How do you want to sign in?', flag: '--auth METHOD' },
      choices: await waysToSignIn(env),
    });
    if (way === 'again') return { ...flags, auth: 'cli' };
    if (way === 'local') return { ...flags, cloud: LOCAL_CLOUD, auth: undefined };
    try {
      await signInBy(way, request);
      request.onSignedIn();
      return { ...flags, auth: undefined };
    } catch (error) {
      if (!isSignInError(error)) throw error;
      output.warn(error.message);
    }
  }
}

async function waysToSignIn(env: NodeJS.ProcessEnv): Promise<Choice<Way>[]> {
  const { clouds } = await loadClouds({ env, directory: statePaths(env).directory });
  const browser: Choice<Way> = { name: 'in the browser of this machine', value: 'browser' };
  return [
    ...(canOpenBrowser() ? [browser] : []),
    {
      name: 'with a code',
      value: 'device',
      description: 'You type a code on a page of Microsoft, on any device.',
    },
    {
      name: 'with the az CLI',
      value: 'again',
      description: 'Type "az login" in another window, then choose this.',
    },
    ...(clouds.some(({ name }) => name === LOCAL_CLOUD)
      ? [
          {
            name: 'not at all: the local Azure',
            value: 'local' as const,
            description: 'The emulator of "hcm emulator start": to try all of this without an account.',
          },
        ]
      : []),
  ];
}

async function signInBy(
  method: AuthMethod,
  { flags, output, signal, env }: SetupSessionRequest,
): Promise<void> {
  const { signIn } = await import('../../auth/sign-in.ts');
  const base = await sessionRequest({ flags: { ...flags, auth: undefined }, output, env });
  const signingIn = signIn(
    { ...base, method, wanted: flags.subscription, prompt: promptOn(output) },
    { signal, report: (message) => output.progress(message) },
  );
  await orAborted(signingIn, signal);
}

function isSignInError(error: unknown): error is HcmError {
  return (
    error instanceof HcmError &&
    ['HCM_SIGN_IN_REQUIRED', 'HCM_SIGN_IN_FAILED', 'HCM_AZURE_UNAUTHORIZED'].includes(error.code)
  );
}

/** Undefined: none is seen, and the session must know one. */
async function chooseSubscription(
  { prompts, output }: SetupSessionRequest,
  { session, subscriptions, flags }: Opened,
): Promise<Subscription | undefined> {
  if (flags.subscription !== undefined) return findSubscription(subscriptions, flags.subscription);
  const preset = presetOf(session, subscriptions);
  if (subscriptions.length < 2) return subscriptions[0];
  output.wipeProgress();
  const others = subscriptions.filter((one) => one !== preset);
  return prompts.search<Subscription>({
    ...{ id: 'subscription', message: 'Which subscription?', flag: '--subscription NAME' },
    unasked: preset,
    choices: [...(preset === undefined ? [] : [preset]), ...others].map((one) => ({
      ...{ name: one.displayName, value: one, description: one.subscriptionId },
      ...(/^(?:disabled|deleted)$/i.test(one.state) ? { disabled: one.state } : {}),
    })),
  });
}

function presetOf(
  { subscriptionId: preset = '' }: Session,
  subscriptions: readonly Subscription[],
): Subscription | undefined {
  const wanted = preset.toLowerCase();
  return subscriptions.find(
    ({ subscriptionId, displayName }) =>
      subscriptionId.toLowerCase() === wanted || displayName.toLowerCase() === wanted,
  );
}

function contextOf({ session, subscriptions, flags }: Opened, chosen: Subscription | undefined): string[] {
  const { cloud, tenant, auth } = flags;
  const asDefault = chosen === undefined || presetOf(session, subscriptions) === chosen;
  const isOnlyOne = subscriptions.length === 1 && flags.subscription === undefined;
  const name =
    subscriptions.filter(({ displayName }) => displayName === chosen?.displayName).length > 1
      ? chosen?.subscriptionId
      : chosen?.displayName;
  return [
    ...(cloud === undefined ? [] : ['--cloud', cloud]),
    ...(tenant === undefined ? [] : ['--tenant', tenant]),
    ...(auth === undefined ? [] : ['--auth', auth]),
    ...(asDefault || isOnlyOne || name === undefined ? [] : ['--subscription', name]),
  ];
}
