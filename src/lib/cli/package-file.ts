/** package.json: the one place of the program's name and version. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly oclif: object;
}

export function loadPackage(root: string): PackageFile {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageFile;
}

/** `hcm/1.2.3`, as servers are told. From sources and from dist/ alike: the next package.json above is ours. */
export function userAgent(folder: string = import.meta.dirname): string {
  if (existsSync(join(folder, 'package.json'))) return `hcm/${loadPackage(folder).version}`;
  return dirname(folder) === folder ? 'hcm' : userAgent(dirname(folder));
}
