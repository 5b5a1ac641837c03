/** The commands about clouds: which there are, which one is used, and one more. */
import { resolve } from 'node:path';
import type { Cloud } from '../auth/cloud.ts';
import { BUILT_IN_CLOUDS, LOCAL_CLOUD } from '../auth/cloud.ts';
import { checkCloudName, loadClouds, saveCloud, useCloud } from '../auth/clouds.ts';
import { statePaths } from '../config/paths.ts';
import type { SignInFlags } from './azure-flags.ts';
import { dialFor } from './azure-session.ts';
import type { Output } from './output.ts';
import { printTable } from './table.ts';

interface CloudRun {
  output: Output;
  json: boolean;
  env?: NodeJS.ProcessEnv;
}

export async function listClouds({ output, json, env = process.env }: CloudRun): Promise<void> {
  const { clouds, current } = await loadClouds({ env, directory: statePaths(env).directory });
  const described = clouds.map((cloud) => describe(cloud, current));
  if (json) return output.json(described);
  printTable(
    output,
    [
      { title: '', value: (cloud) => (cloud.current ? '*' : ' ') },
      { title: 'NAME', value: (cloud) => cloud.name },
      { title: 'RESOURCE MANAGER', value: (cloud) => cloud.armEndpoint },
      { title: 'SIGN-IN', value: (cloud) => cloud.authority },
      { title: 'RELAYS', value: (cloud) => cloud.relaySuffix },
    ],
    described,
  );
  if (!described.some(({ name }) => name === LOCAL_CLOUD)) {
    output.say(`\nOne more on this machine, without an account: hcm emulator start`);
  }
}

export async function chooseCloud(
  name: string,
  { output, json, env = process.env }: CloudRun,
): Promise<void> {
  const cloud = await useCloud(name, statePaths(env).directory);
  if (env['HCM_CLOUD']) output.warn(`HCM_CLOUD is set and wins: ${env['HCM_CLOUD']}`);
  if (json) return output.json(describe(cloud, cloud.name));
  output.answer(`Commands use the cloud ${cloud.name} from now on: ${cloud.armEndpoint}`);
}

export interface CloudAddition extends CloudRun {
  name: string;
  endpoint: string;
  relaySuffix: string | undefined;
  flags: SignInFlags;
}

export async function addCloud(run: CloudAddition): Promise<void> {
  const { name, endpoint, relaySuffix, flags, output, json, env = process.env } = run;
  checkCloudName(name);
  const caFile = flags['ca-file'] === undefined ? undefined : resolve(flags['ca-file']);
  const dial = await dialFor({}, flags, output);
  const { fetchCloud } = await import('../auth/metadata.ts');
  const cloud = await fetchCloud({ name, endpoint, relaySuffix, caFile, dial });
  await saveCloud(cloud, statePaths(env).directory);
  if (json) return output.json(describe(cloud, ''));
  output.answer(`Added the cloud ${name}: ${cloud.armEndpoint}, sign-in at ${cloud.authority}`);
  output.say(`Next: hcm cloud use ${name}, or --cloud ${name}; then hcm login`);
}

function describe(cloud: Cloud, current: string) {
  const { name, armEndpoint, authority, armScope, relaySuffix, relayPort, tenantId, portal, caFile } = cloud;
  return {
    ...{ name, current: name === current, builtIn: BUILT_IN_CLOUDS.includes(cloud) },
    ...{ armEndpoint, authority, armScope, relaySuffix, relayPort, tenantId, portal, caFile },
  };
}
