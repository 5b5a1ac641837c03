/** From flags and environment to a session with Azure, and from the session to the calls. */
import { HcmError } from '../../protocol/errors.ts';
import { systemClock } from '../../tunnel/clock.ts';
import { RelayDialer } from '../../tunnel/relay-dialer.ts';
import type { Azure } from '../arm/azure.ts';
import type { Cloud } from '../auth/cloud.ts';
import { loadCloud } from '../auth/clouds.ts';
import type { Prompt } from '../auth/credentials.ts';
import { openSession, type Session, type SessionRequest } from '../auth/session.ts';
import { openAzureIn } from '../auth/subscriptions.ts';
import type { Dial } from '../auth/transport.ts';
import { statePaths } from '../config/paths.ts';
import type { AzureFlags, SignInFlags } from './azure-flags.ts';
import { readInputFile } from './input-file.ts';
import { networkOptions } from './network-flags.ts';
import type { Output } from './output.ts';
import { userAgent } from './package-file.ts';
import { canOpenBrowser, isInteractive } from './terminal.ts';

export { interruptSignal } from './interrupt-signal.ts';

export interface AzureRequest {
  /** Those of `azureFlags` or `signInFlags`, with the global ones. */
  flags: AzureFlags & { json?: boolean; 'no-input'?: boolean };
  output: Output;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
}

/**
 * Azure, in the subscription of the flags, else the one of the sign-in.
 * @throws as `openSessionFor`; HCM_SUBSCRIPTION_MISSING; as any call when the subscription has to be looked up.
 */
export async function openAzureFor(request: AzureRequest): Promise<Azure> {
  const { flags, output, signal } = request;
  const session = await openSessionFor(request);
  return openAzureIn(session, flags.subscription, {
    ...{ signal, userAgent: userAgent() },
    report: (message) => output.progress(message),
  });
}

/** @throws HcmError of flags and files, HCM_CLOUD_UNKNOWN, HCM_NOT_RUNNING (no emulator), HCM_SIGN_IN_REQUIRED. */
export async function openSessionFor(request: AzureRequest): Promise<Session> {
  const { flags, output, env = process.env } = request;
  const { json = false, 'no-input': noInput = false } = flags;
  const prompt = isInteractive({ json, noInput }, env) ? promptOn(output) : undefined;
  return openSession({ ...(await sessionRequest(request)), prompt });
}

/** The part of a session's request that flags and environment give. */
export async function sessionRequest({
  flags,
  output,
  env = process.env,
}: AzureRequest): Promise<SessionRequest> {
  const { directory } = statePaths(env);
  const cloud = await loadCloud({ name: flags.cloud, env, directory });
  const dial = await dialFor(cloud, flags, output);
  return { ...{ cloud, env, directory, dial }, auth: flags.auth, tenant: flags.tenant };
}

/** Tells a person where to sign in; shown with --quiet, too. */
export function promptOn(output: Output): Prompt {
  return {
    showDeviceCode: (message) => output.complain(message),
    showBrowser() {
      if (!canOpenBrowser()) {
        throw new HcmError('HCM_SIGN_IN_FAILED', 'There is no browser on this machine to sign in with.', {
          details: { next: 'hcm login --device-code' },
        });
      }
      output.complain('Sign in on the page that opens in your browser.');
    },
  };
}

/** How connections to this cloud are made: proxies, CAs and time limits as for a tunnel. */
export async function dialFor(
  cloud: Pick<Cloud, 'caFile'>,
  flags: SignInFlags,
  output: Output,
): Promise<Dial> {
  const options = await networkOptions({ ...flags, keepalive: 'off' }, output);
  const own = cloud.caFile === undefined ? [] : [await readInputFile(cloud.caFile)];
  const dialer = new RelayDialer({ ...options, ca: [...(options.ca ?? []), ...own] }, systemClock);
  return (host, port) => dialer.dial(host, port);
}
