/** Hybrid connections from Azure, for commands of the data plane. Loaded only when no connection string is given. */
import type { Token } from '../../tunnel/token-provider.ts';
import type { Session } from '../auth/session.ts';
import { openAppConnections, type AppAccess } from '../services/app-forward.ts';
import { accessByEntra, accessByKey, entraTokensOf } from '../services/connection-access.ts';
import { openAzureFor, openSessionFor } from './azure-session.ts';
import type { ConnectionFlags } from './connection-flags.ts';
import type { ConnectionLookUp } from './connection-input.ts';
import type { Output } from './output.ts';

export interface AzureInput {
  flags: ConnectionFlags;
  output: Output;
}

export function openConnectionLookUp({ flags, output }: AzureInput): ConnectionLookUp {
  return {
    async byKey(wanted, right) {
      const azure = await openAzureFor({ flags, output });
      const resourceGroup = flags['resource-group'];
      return Promise.all(wanted.map((one) => accessByKey(azure, { resourceGroup, ...one }, right)));
    },
    async byEntra(wanted) {
      const session = await openSessionFor({ flags, output });
      const getToken = await relayTokens(session);
      return wanted.map((one) => accessByEntra(session.cloud, one, getToken));
    },
    async managedIdentity() {
      const session = await openSessionFor({ flags: { ...flags, auth: 'managed' }, output });
      return entraTokensOf(session.cloud, await relayTokens(session));
    },
  };
}

/** What `forward --app` opens. */
export async function openApp(
  { flags, output }: AzureInput,
  app: { name: string; slot: string | undefined },
): Promise<AppAccess> {
  const azure = await openAzureFor({ flags, output });
  const getToken = flags.entra ? await relayTokens(await openSessionFor({ flags, output })) : undefined;
  return openAppConnections(azure, {
    ...{ app: app.name, slot: app.slot, getToken },
    resourceGroup: flags['resource-group'],
  });
}

/** Whether there are tokens for the relay should be known before anything is started: the first is asked for here. */
async function relayTokens({ credential, cloud }: Session): Promise<() => Promise<Token>> {
  const getToken = async () => {
    const token = await credential.getToken(cloud.relayScope);
    if (token === null) throw new Error('no token came back');
    return { text: token.token, expiresAtMs: token.expiresOnTimestamp };
  };
  await getToken();
  return getToken;
}
