/**
 * The clouds that this user knows, and which one is meant: the built-in ones, those that were added, and `local`,
 * which a running emulator registers. They stand in one file of the state folder.
 */
import { join } from 'node:path';
import { HcmError } from '../../protocol/errors.ts';
import { asObject, MalformedField } from '../../protocol/json-fields.ts';
import { loadJson, moveAway, saveJson } from '../config/json-file.ts';
import { BUILT_IN_CLOUDS, DEFAULT_CLOUD, LOCAL_CLOUD, type Cloud, type LocalAccount } from './cloud.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const FILE_NAME = 'clouds.json';
const VERSION = 1;
const NAME_PATTERN = /^[a-z][a-z0-9-]{0,49}$/;

interface CloudsDocument {
  /** What `hcm cloud use` said. */
  readonly current?: string;
  /** Those that are not built in. */
  readonly clouds: readonly Cloud[];
}

export interface KnownClouds {
  readonly clouds: readonly Cloud[];
  readonly current: string;
}

/**
 * The cloud to work with: `name`, else HCM_CLOUD, else what `hcm cloud use` said, else public.
 * @throws HcmError HCM_CLOUD_UNKNOWN; HCM_NOT_RUNNING for `local` before any emulator has registered it.
 */
export async function loadCloud(request: {
  name?: string | undefined;
  env: Environment;
  directory: string;
}): Promise<Cloud> {
  const { clouds, current } = await loadClouds(request);
  return findCloud(clouds, request.name ?? current);
}

/** All clouds, and the name of the one that is used when no flag says otherwise. */
export async function loadClouds(request: { env: Environment; directory: string }): Promise<KnownClouds> {
  const { current, clouds } = await load(request.directory);
  return {
    clouds: [...BUILT_IN_CLOUDS, ...clouds],
    current: request.env['HCM_CLOUD'] || (current ?? DEFAULT_CLOUD),
  };
}

/** From now on this one is used. @throws as `loadCloud`. */
export async function useCloud(name: string, directory: string): Promise<Cloud> {
  const document = await load(directory);
  const cloud = findCloud([...BUILT_IN_CLOUDS, ...document.clouds], name);
  await save(directory, { ...document, current: cloud.name });
  return cloud;
}

/** Adds a cloud, or replaces the one of this name that was added before. @throws HcmError HCM_CLOUD_INVALID. */
export async function saveCloud(cloud: Cloud, directory: string): Promise<void> {
  checkCloudName(cloud.name);
  const document = await load(directory);
  const others = document.clouds.filter(({ name }) => name !== cloud.name);
  await save(directory, { ...document, clouds: [...others, cloud] });
}

/** @throws HcmError HCM_CLOUD_INVALID. */
export function checkCloudName(name: string): void {
  const why = BUILT_IN_CLOUDS.some((cloud) => cloud.name === name)
    ? 'is built in'
    : NAME_PATTERN.test(name)
      ? undefined
      : 'is not a name: letters, digits and hyphens, beginning with a letter';
  if (why !== undefined) {
    throw new HcmError('HCM_CLOUD_INVALID', `A cloud cannot be added as "${name}": it ${why}.`);
  }
}

function findCloud(clouds: readonly Cloud[], name: string): Cloud {
  const wanted = name.toLowerCase();
  const found = clouds.find((cloud) => cloud.name === wanted);
  if (found !== undefined) return found;
  if (wanted === LOCAL_CLOUD) {
    throw new HcmError('HCM_NOT_RUNNING', 'There is no cloud "local" yet: no emulator has registered it.');
  }
  const names = clouds.map((cloud) => cloud.name).join(', ');
  throw new HcmError('HCM_CLOUD_UNKNOWN', `There is no cloud "${name}". Known: ${names}.`);
}

async function load(directory: string): Promise<CloudsDocument> {
  const path = join(directory, FILE_NAME);
  const value = await loadJson(path);
  if (value === undefined) return { clouds: [] };
  try {
    const document = asObject(value, 'the document');
    const clouds = document.raw('clouds');
    if (!Array.isArray(clouds)) throw new MalformedField('clouds is not a list');
    return { ...document.optionalTexts('current'), clouds: clouds.map(readCloud) };
  } catch (error) {
    if (!(error instanceof MalformedField)) throw error;
    throw new HcmError('HCM_STATE_CORRUPT', `The file ${path} cannot be used: ${error.message}.`, {
      details: { file: path, next: moveAway(path) },
    });
  }
}

function save(directory: string, document: CloudsDocument): Promise<void> {
  return saveJson(join(directory, FILE_NAME), { version: VERSION, ...document });
}

function readCloud(value: unknown): Cloud {
  const cloud = asObject(value, 'clouds[]');
  const relayPort = cloud.raw('relayPort');
  const local = cloud.raw('local');
  return {
    name: cloud.text('name'),
    armEndpoint: cloud.text('armEndpoint'),
    authority: cloud.text('authority'),
    armScope: cloud.text('armScope'),
    relaySuffix: cloud.text('relaySuffix'),
    relayScope: cloud.text('relayScope'),
    ...cloud.optionalTexts('portal', 'tenantId', 'caFile'),
    ...(typeof relayPort === 'number' ? { relayPort } : {}),
    ...(local === undefined ? {} : { local: readLocalAccount(local) }),
  };
}

function readLocalAccount(value: unknown): LocalAccount {
  const local = asObject(value, 'clouds[].local');
  return {
    tenantId: local.text('tenantId'),
    subscriptionId: local.text('subscriptionId'),
    clientId: local.text('clientId'),
    secretFile: local.text('secretFile'),
  };
}
