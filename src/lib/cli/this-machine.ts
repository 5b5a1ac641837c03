/** What a diagnosis says of this program and this machine. */
import { statePaths } from '../config/paths.ts';
import type { Machine, ProxySetting } from '../services/doctor/scene.ts';

export function thisMachine(hcmVersion: string, env: NodeJS.ProcessEnv): Machine {
  const { version: nodeVersion, platform, arch } = process;
  return {
    ...{ nodeVersion, hcmVersion, env },
    ...{ platform: `${platform}-${arch}`, stateDirectory: statePaths(env).directory },
  };
}

/** `argv` tells the flag from the variable that stands for it. */
export function proxySettingOf(proxy: string | undefined, argv: readonly string[]): ProxySetting {
  if (proxy === undefined) return { source: undefined };
  return { source: argv.some((text) => /^--proxy(?:=|$)/.test(text)) ? '--proxy' : 'HCM_PROXY' };
}
