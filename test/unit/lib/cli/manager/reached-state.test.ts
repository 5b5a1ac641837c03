import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { reachedState, sayReached } from '../../../../../src/lib/cli/manager/reached-state.ts';
import { Output } from '../../../../../src/lib/cli/output.ts';
import type { ConnectionView } from '../../../../../src/manager/control/operations.ts';
import { HcmError } from '../../../../../src/protocol/errors.ts';
import { FakeClock } from '../../../../helpers/fake-clock.ts';
import { written } from '../../../../helpers/written.ts';

const view = (state: ConnectionView['state'], reason?: ConnectionView['reason']) =>
  ({ id: 'listen my-relay/db', state, ...(reason && { reason }) }) as ConnectionView;
const REFUSED = { code: 'HCM_UNAUTHORIZED', message: 'the key is wrong', next: 'take another' } as const;

describe('the state that hcm add tells', () => {
  /** `states`: what the manager answers, in turn; the last one from then on, `undefined`: it is gone. */
  async function reached(added: ConnectionView, ...states: (ConnectionView | undefined)[]) {
    const clock = new FakeClock();
    let asked = 0;
    const list = () => {
      const answer = states[Math.min(asked, states.length - 1)];
      asked += 1;
      if (answer === undefined) return Promise.reject(new HcmError('HCM_NOT_RUNNING', 'gone'));
      return Promise.resolve([{ ...answer, id: 'listen my-relay/other' }, answer]);
    };
    let view: ConnectionView | undefined;
    void reachedState({ list }, added, clock).then((one) => (view = one));
    for (let step = 0; step < 50 && view === undefined; step += 1) await clock.advanceAsync(100);
    return { view, asked, passedMs: clock.monotonicMs() };
  }

  it('is the first that is more than connecting, as hcm list has it', async () => {
    const connecting = view('connecting');
    const { view: shown, asked } = await reached(connecting, connecting, view('waiting', REFUSED));
    assert.deepEqual(shown, view('waiting', REFUSED));
    assert.equal(asked, 2);
  });

  it('is asked for no more when it is known, or when the manager is gone', async () => {
    assert.equal((await reached(view('online'), view('waiting'))).asked, 0);
    const { view: shown, asked } = await reached(view('connecting'), undefined);
    assert.deepEqual([shown?.state, asked], ['connecting', 1]);
  });

  it('is waited for three seconds', async () => {
    const { view: shown, asked } = await reached(view('connecting'), view('connecting'));
    assert.deepEqual([shown?.state, asked], ['connecting', 30]);
  });

  function said(one: ConnectionView): string[] {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const texts = { did: 'Added my-relay/db', show: 'hcm show my-relay/db' };
    sayReached(new Output({ stdout, stderr, env: {} }), one, texts);
    return [stdout, stderr].map(written);
  }

  it('stands in the answer itself, with its reason and its remedy, where it is not online', () => {
    const show = 'Next: hcm show my-relay/db\n';
    assert.deepEqual(said(view('online')), ['Added my-relay/db\n', show]);
    assert.deepEqual(said(view('waiting', REFUSED)), [
      'Added my-relay/db, but it does not work yet; it is waiting: the key is wrong (HCM_UNAUTHORIZED)\n',
      'Next: take another\n',
    ]);
    assert.deepEqual(said(view('connecting')), ['Added my-relay/db; it is still connecting\n', show]);
  });
});
