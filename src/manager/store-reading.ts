/** The stored connections as they are to run: one that makes no sense keeps none of the others from running. */
import type { ManagerDeclaration } from '../lib/config/hcm-yaml/manager-declaration.ts';
import { HcmError } from '../protocol/errors.ts';
import { asHcmError } from '../tunnel/emitter.ts';
import type { StoredConnection } from './store-file.ts';
import { readStored } from './stored-declaration.ts';

/** Never rejects. What two of them both want, such as a local port, shows when they run. */
export async function readEachStored(
  stored: readonly StoredConnection[],
  folder: string,
): Promise<{ manager: ManagerDeclaration; faults: HcmError[] }> {
  const faults: HcmError[] = [];
  const read = await Promise.all(
    stored.map((one) =>
      readStored(one, folder).catch((error: unknown) => {
        faults.push(faultOf(one, asHcmError(error)));
        return { listeners: [], forwards: [] };
      }),
    ),
  );
  return {
    manager: {
      listeners: read.flatMap(({ listeners }) => listeners),
      forwards: read.flatMap(({ forwards }) => forwards),
    },
    faults,
  };
}

function faultOf({ connection }: StoredConnection, { code, message, cause }: HcmError): HcmError {
  return new HcmError(code, `${connection} in connections.json does not run: ${message}`, {
    cause,
    details: { connection, next: `Add it again, which replaces it: hcm add ${connection} …` },
  });
}
