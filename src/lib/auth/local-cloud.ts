/** The cloud `local`: a running emulator puts itself on the list of clouds, with an account for everybody on this machine. */
import { join } from 'node:path';
import { CLOUD_SUFFIXES } from '../../protocol/relay-hosts.ts';
import { saveText } from '../config/json-file.ts';
import { LOCAL_CLOUD, RELAY_SCOPE, type LocalAccount } from './cloud.ts';
import { saveCloud } from './clouds.ts';

const SECRET_FILE_NAME = 'local.secret';

export interface LocalRegistration extends Omit<LocalAccount, 'secretFile'> {
  readonly port: number;
  readonly clientSecret: string;
}

/**
 * Replaces what an earlier emulator registered. It stays when the emulator ends: whoever uses it then hears that
 * nobody answers. @throws HcmError HCM_STATE_UNWRITABLE, HCM_STATE_CORRUPT.
 */
export async function registerLocalCloud(directory: string, registration: LocalRegistration): Promise<void> {
  const { port, clientSecret, tenantId, subscriptionId, clientId } = registration;
  const secretFile = join(directory, SECRET_FILE_NAME);
  await saveText(secretFile, `${clientSecret}\n`);
  const endpoint = `https://localhost:${port}`;
  await saveCloud(
    {
      name: LOCAL_CLOUD,
      armEndpoint: endpoint,
      authority: endpoint,
      armScope: `${endpoint}/.default`,
      relaySuffix: CLOUD_SUFFIXES.local,
      relayPort: port,
      relayScope: RELAY_SCOPE,
      local: { tenantId, subscriptionId, clientId, secretFile },
    },
    directory,
  );
}
