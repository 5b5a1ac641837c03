/**
 * What is remembered of a sign-in, for each cloud: how, as whom, where, and which subscription. Never a secret:
 * tokens and client secrets have files of their own, beside this one.
 */
import { join } from 'node:path';
import { HcmError } from '../../protocol/errors.ts';
import { asObject, MalformedField } from '../../protocol/json-fields.ts';
import { loadJson, saveJson } from '../config/json-file.ts';

/** Every way to sign in. */
export const AUTH_METHODS = [
  'cli',
  'device',
  'browser',
  'service-principal',
  'env',
  'workload',
  'github',
  'pipelines',
  'managed',
  'local',
] as const;

export type AuthMethod = (typeof AUTH_METHODS)[number];

export interface Account {
  /** Undefined when only a subscription was chosen: the way to sign in is then found anew each time. */
  readonly method?: AuthMethod;
  readonly tenantId?: string;
  /** Of the app, for a service principal or a user-assigned identity. */
  readonly clientId?: string;
  /** As people know it: a user's name, an app's id. */
  readonly name?: string;
  readonly subscriptionId?: string;
  readonly subscriptionName?: string;
  /** Of a service principal that signs in with a certificate: where its key is. */
  readonly certificateFile?: string;
  /** MSAL's serialized AuthenticationRecord: whose tokens to look for in the cache. Holds no secret. */
  readonly record?: string;
}

const FILE_NAME = 'account.json';
const VERSION = 1;

/** Undefined when nobody signed in to this cloud with `hcm login`. @throws HcmError HCM_STATE_CORRUPT. */
export async function loadAccount(directory: string, cloud: string): Promise<Account | undefined> {
  return (await load(directory)).get(cloud);
}

/** Replaces what was remembered for the cloud; undefined forgets it. */
export async function saveAccount(
  directory: string,
  cloud: string,
  account: Account | undefined,
): Promise<void> {
  const accounts = await load(directory);
  if (account === undefined) accounts.delete(cloud);
  else accounts.set(cloud, account);
  const document = { version: VERSION, accounts: Object.fromEntries(accounts) };
  await saveJson(join(directory, FILE_NAME), document);
}

/** MSAL's cache for a cloud: access and refresh tokens. */
export function tokenCacheFile(directory: string, cloud: string): string {
  return join(directory, `tokens-${cloud}.json`);
}

/** The client secret of a service principal. */
export function clientSecretFile(directory: string, cloud: string): string {
  return join(directory, `secret-${cloud}`);
}

async function load(directory: string): Promise<Map<string, Account>> {
  const path = join(directory, FILE_NAME);
  const value = await loadJson(path);
  if (value === undefined) return new Map();
  try {
    const accounts = asObject(asObject(value, 'the document').raw('accounts'), 'accounts');
    return new Map(accounts.keys().map((cloud) => [cloud, readAccount(accounts.raw(cloud))]));
  } catch (error) {
    if (!(error instanceof MalformedField)) throw error;
    throw new HcmError('HCM_STATE_CORRUPT', `The file ${path} cannot be used: ${error.message}.`, {
      details: { file: path, next: `Move ${path} away and type: hcm login` },
    });
  }
}

function readAccount(value: unknown): Account {
  const account = asObject(value, 'accounts[]');
  const method = AUTH_METHODS.find((known) => known === account.raw('method'));
  if (method === undefined && account.has('method')) throw new MalformedField('method is not known');
  const texts = account.optionalTexts(
    ...(['tenantId', 'clientId', 'name', 'subscriptionId', 'subscriptionName'] as const),
    ...(['certificateFile', 'record'] as const),
  );
  return { ...(method === undefined ? {} : { method }), ...texts };
}
