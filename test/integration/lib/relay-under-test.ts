/** What the tests of relay resources share: an emulator whose operations are quick, and errors by their code. */
import assert from 'node:assert/strict';
import { systemArmClock, type ArmClock } from '../../../src/lib/arm/arm-clock.ts';
import { HcmError, type ErrorCode } from '../../../src/protocol/errors.ts';
import { parseTarget } from '../../../src/protocol/target.ts';
import { AzureBed } from '../../helpers/azure-bed.ts';

export const TIMEOUT_MS = 10_000;
export const DB = { namespace: 'local-relay', name: 'db' };
export const TARGET = parseTarget('db.corp.local:5432');

/** Azure is quick here, so hcm may look often. */
const hurriedClock: ArmClock = {
  ...systemArmClock,
  sleep: (delayMs, signal) => systemArmClock.sleep(Math.min(delayMs, 10), signal),
};

/** To be called inside `describe`: one emulator for all of its tests, without faults at the start of each. */
export function useRelayBed(): () => AzureBed {
  let bed: AzureBed | undefined;
  before(async () => {
    bed = await AzureBed.start({ behaviour: { provisioningMs: 5 } }, { clock: hurriedClock });
  });
  after(() => bed?.stop());
  afterEach(() => {
    bed?.emulator.faults.arm.clear();
    bed?.reports.splice(0);
  });
  return () => bed ?? assert.fail('no emulator yet');
}

export async function rejected(promise: Promise<unknown>, code: ErrorCode): Promise<HcmError> {
  const error = await promise.then(
    () => assert.fail(`no ${code}`),
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof HcmError, String(error));
  assert.equal(error.code, code, error.message);
  return error;
}
