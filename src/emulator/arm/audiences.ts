/** Whom a token for Resource Manager may be meant for. */
import { ARM_AUDIENCES } from '../entra/resources.ts';

/** The emulator by each of its names, and the public ones: SDKs ask for those whatever endpoint they were given. */
export function armAudiences(baseUrl: string, port: number): string[] {
  const hosts = ['localhost', '127.0.0.1', '[::1]'];
  const own = new Set([baseUrl, ...hosts.map((host) => `https://${host}:${port}`)]);
  return [...own, ...ARM_AUDIENCES];
}
