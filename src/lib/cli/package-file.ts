/** package.json: the one place of the program's name and version. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly oclif: object;
}

export function loadPackage(root: string): PackageFile {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageFile;
}
