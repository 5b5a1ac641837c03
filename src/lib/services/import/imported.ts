/** What every import is told, and what it gives: declarations, the secrets that they name, warnings. */
import type { Place } from '../../config/hcm-yaml/declaration.ts';
import type { Access, ManagerDeclaration } from '../../config/hcm-yaml/manager-declaration.ts';
import type { ImportedSecret } from './imported-secrets.ts';

/** What is not taken over as it is, or does something else than it seems to. */
export interface ImportWarning {
  /** Absent: it is not from a file. */
  readonly at?: Place | undefined;
  /** As it is written in the file. */
  readonly key: string;
  readonly message: string;
}

export interface ImportTarget {
  /** The name of the file, for messages. */
  file: string;
  /** How hcm.yaml refers to a secret. */
  accessOf(secret: ImportedSecret): Access;
}

export interface Imported {
  readonly manager: ManagerDeclaration;
  readonly secrets: readonly ImportedSecret[];
  /** In the order of the file. */
  readonly warnings: readonly ImportWarning[];
}
