/** `hcm login` and `hcm logout`. */
import { resolve } from 'node:path';
import { HcmError } from '../../protocol/errors.ts';
import { orAborted } from '../../tunnel/network-errors.ts';
import type { Subscription } from '../arm/subscriptions.ts';
import type { AuthMethod } from '../auth/account.ts';
import { loadCloud } from '../auth/clouds.ts';
import { chooseMethod } from '../auth/method.ts';
import { statePaths } from '../config/paths.ts';
import type { AzureFlags } from './azure-flags.ts';
import { interruptSignal, promptOn, sessionRequest } from './azure-session.ts';
import { readInputFile, readSecretFile } from './input-file.ts';
import type { Output } from './output.ts';
import { isInteractive, isUnattended } from './terminal.ts';

export interface LoginFlags extends AzureFlags {
  'device-code': boolean;
  browser: boolean;
  'service-principal': boolean;
  'managed-identity': boolean;
  'client-id'?: string | undefined;
  'client-secret-file'?: string | undefined;
  'certificate-file'?: string | undefined;
  'no-input': boolean;
}

interface LoginRun {
  flags: LoginFlags;
  output: Output;
  json: boolean;
  env?: NodeJS.ProcessEnv;
}

export const NO_SUBSCRIPTION =
  'This sign-in sees no subscription. In another tenant? hcm login --tenant TENANT';

/** How a method is named to people. */
export const METHOD_NAMES: Readonly<Record<AuthMethod, string>> = {
  cli: 'as the az CLI is',
  device: 'with a device code',
  browser: 'in the browser',
  'service-principal': 'as a service principal',
  env: 'by the environment',
  workload: 'by workload identity',
  github: 'by GitHub Actions',
  pipelines: 'by Azure Pipelines',
  managed: 'by managed identity',
  local: "as the emulator's own app",
};

export async function login({ flags, output, json, env = process.env }: LoginRun): Promise<void> {
  const signal = interruptSignal();
  const base = await sessionRequest({ flags, output, env });
  const method = methodOf(flags) ?? chooseMethod({ ...base, account: undefined });
  const noInput = flags['no-input'];
  if (isForPeople(method) && isUnattended(noInput, env)) {
    throw new HcmError(
      'HCM_INPUT_NEEDED',
      'This way to sign in needs a person, and --no-input or CI says that there is none.',
      {
        details: { next: 'Sign in by the environment instead: see docs/sign-in.md' },
      },
    );
  }
  const { signIn } = await import('../auth/sign-in.ts');
  const signingIn = signIn(
    {
      ...{ ...base, method, wanted: flags.subscription },
      ...(await secretsOf(method, { flags, output, env })),
      prompt: isUnattended(noInput, env) ? undefined : promptOn(output),
      askSubscription: isInteractive({ json, noInput }, env) ? askSubscription : undefined,
    },
    { signal, report: (message) => output.say(message) },
  );
  const { account, tenantId, subscriptions } = await orAborted(signingIn, signal);
  const { name, subscriptionId, subscriptionName } = account;
  if (json) {
    return output.json({
      ...{ cloud: base.cloud.name, method, account: name, tenantId, subscriptionId, subscriptionName },
      subscriptions: subscriptions.map((one) => ({ ...one, current: one.subscriptionId === subscriptionId })),
    });
  }
  output.answer(
    `Signed in to ${base.cloud.name} ${METHOD_NAMES[method]}${name === undefined ? '' : `: ${name}`}`,
  );
  if (subscriptionId !== undefined) output.answer(`Subscription: ${subscriptionName} (${subscriptionId})`);
  sayNextStep(output, subscriptionId, subscriptions);
}

export async function logout({
  flags,
  output,
  json,
  env = process.env,
}: Pick<LoginRun, 'output' | 'json' | 'env'> & { flags: { cloud?: string | undefined } }): Promise<void> {
  const { directory } = statePaths(env);
  const cloud = await loadCloud({ name: flags.cloud, env, directory });
  const { signOut } = await import('../auth/sign-in.ts');
  const signedOut = await signOut(directory, cloud.name);
  if (json) return output.json({ cloud: cloud.name, signedOut });
  output.answer(
    signedOut ? `Signed out of ${cloud.name}.` : `Nobody had signed in to ${cloud.name} with hcm login.`,
  );
  output.say('The sign-in of the az CLI, if there is one, is its own: az logout');
}

function methodOf(flags: LoginFlags): AuthMethod | undefined {
  if (flags['device-code']) return 'device';
  if (flags.browser) return 'browser';
  if (flags['service-principal']) return 'service-principal';
  if (flags['managed-identity']) return 'managed';
  return flags.auth;
}

function isForPeople(method: AuthMethod): boolean {
  return method === 'device' || method === 'browser';
}

interface Secrets {
  clientId?: string;
  secret?: string;
  certificateFile?: string;
}

async function secretsOf(
  method: AuthMethod,
  { flags, output, env }: { flags: LoginFlags; output: Output; env: NodeJS.ProcessEnv },
): Promise<Secrets> {
  const clientId = flags['client-id'] ?? env['AZURE_CLIENT_ID'];
  if (method === 'managed') return flags['client-id'] === undefined ? {} : { clientId: flags['client-id'] };
  if (method !== 'service-principal') return {};
  if (!clientId || !(flags.tenant ?? env['AZURE_TENANT_ID'])) {
    throw needed('its client id and its tenant', '--client-id ID --tenant TENANT');
  }
  const certificateFile = flags['certificate-file'];
  if (certificateFile !== undefined) {
    await readInputFile(certificateFile);
    return { clientId, certificateFile: resolve(certificateFile) };
  }
  const file = flags['client-secret-file'];
  const secret =
    file === undefined ? env['AZURE_CLIENT_SECRET'] : (await readSecretFile(file, output)).trim();
  if (!secret) throw needed('its secret or its certificate', '--client-secret-file FILE');
  return { clientId, secret };
}

function needed(what: string, how: string): HcmError {
  return new HcmError('HCM_INPUT_NEEDED', `To sign in, a service principal needs ${what}.`, {
    details: { next: `hcm login --service-principal ${how}` },
  });
}

async function askSubscription(known: readonly Subscription[]): Promise<Subscription> {
  const { select } = await import('@inquirer/prompts');
  const choices = known.map((value) => ({ name: `${value.displayName} (${value.subscriptionId})`, value }));
  return select({ message: 'Subscription to use', choices }, { output: process.stderr });
}

function sayNextStep(output: Output, chosen: string | undefined, known: readonly Subscription[]): void {
  if (chosen !== undefined) return output.next('hcm namespace list');
  if (known.length === 0) return output.say(NO_SUBSCRIPTION);
  output.next('hcm account set --subscription NAME', `${known.length} subscriptions, none chosen. `);
}
