// The recorded session of azure-cli's own test of hybrid connections, with hcm in its place.
import assert from 'node:assert/strict';
import { readAppConnections } from '../../../../src/lib/services/apps.ts';
import { attachConnection, detachConnection } from '../../../../src/lib/services/attach.ts';
import { recordedInteractions } from '../../../integration/emulator/recording.ts';
import { Replay } from '../../../helpers/replay.ts';

const RECORDING = 'webapp-hybridconnection-e2e-2023';
const GROUP = { resourceGroup: 'clitest.rg000001' };
const APP = `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clitest.rg000001/providers/Microsoft.Web/sites/hcwebapp000002`;
const CONNECTION = { namespace: 'hcnamespace000004', name: 'hcname000005' };

describe('attaching, as recorded in 2023', () => {
  const recorded = (n: number) =>
    recordedInteractions(RECORDING).find((interaction) => interaction.n === n)?.request.body;

  it('sends what azure-cli sent, and understands what Azure answered', async () => {
    const replay = new Replay(RECORDING, [21, 3, 14, 15, 32, 16, 17, 18, 19, 20]);
    const { changed, app, relay, warnings } = await attachConnection(replay.azure, {
      app: APP,
      connection: CONNECTION,
    });
    assert.deepEqual(replay.unused, []);
    assert.deepEqual(
      replay.sent,
      [17, 19].map((n) => ({ n, body: recorded(n) })),
    );
    assert.deepEqual([changed, app.name, app.kind, warnings], [true, 'hcwebapp000002', 'app', []]);
    assert.deepEqual(relay.target, { host: 'vmsq1', port: 80 });
    assert.ok(
      replay.reports.some((text) => text.includes('"hcplan000003"')),
      'its limit was not recorded',
    );
  });

  it('to a slot, with the rule that is there already', async () => {
    const replay = new Replay(RECORDING, [{ n: 23, method: 'GET' }, 3, 24, 25, 34, 26, 28, 29, 30]);
    const { app } = await attachConnection(replay.azure, {
      ...{ app: APP, slot: 'hcwebapp000002-stage', connection: CONNECTION },
    });
    assert.deepEqual(replay.unused, []);
    assert.deepEqual(replay.sent, [{ n: 29, body: recorded(29) }]);
    assert.deepEqual([app.name, app.slot], ['hcwebapp000002', 'hcwebapp000002-stage']);
  });

  it('lists what is attached, which the SDK takes for one object', async () => {
    const replay = new Replay(RECORDING, [21, 20]);
    const { connections } = await readAppConnections(replay.azure, APP, GROUP);
    assert.deepEqual(connections, [
      {
        namespace: 'hcnamespace000004',
        connection: 'hcname000005',
        relayId:
          '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clitest.rg000001/providers/Microsoft.Relay/namespaces/hcnamespace000004/hybridconnections/hcname000005',
        target: { host: 'vmsq1', port: 80 },
        keyName: 'defaultSender',
        suffix: '.servicebus.windows.net',
      },
    ]);
  });

  it('detaches, and finds nothing to detach the second time', async () => {
    const replay = new Replay(RECORDING, [21, 20, 31]);
    const request = { app: APP, connection: CONNECTION };
    assert.equal((await detachConnection(replay.azure, request)).changed, true);
    assert.deepEqual(replay.unused, []);
    const again = new Replay(RECORDING, [21, 32]);
    assert.equal((await detachConnection(again.azure, request)).changed, false);
  });
});
