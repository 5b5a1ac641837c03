import assert from 'node:assert/strict';
import { ForwardWatch } from '../../../../src/lib/cli/forward-watch.ts';
import { HcmError } from '../../../../src/protocol/errors.ts';
import type { TunnelEventBody } from '../../../../src/tunnel/events.ts';

const noListener = new HcmError('HCM_NO_LISTENER', 'x', { details: { status: 404 } });
const wrongKey = new HcmError('HCM_TOKEN_SIGNATURE', 'x', { details: { status: 401 } });
const noNetwork = new HcmError('HCM_CONNECT_REFUSED', 'x');

function watched(keepTrying = false) {
  const watch = new ForwardWatch();
  const seen: string[] = [];
  const handler = watch.handler((event) => void seen.push(event.event), keepTrying);
  const tell = (...bodies: TunnelEventBody[]) => {
    for (const body of bodies) handler({ time: '', connection: 'ns/db', ...body });
  };
  const refused = async () => {
    const none = new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)));
    return Promise.race([watch.refused.catch((error: HcmError) => error.code), none]);
  };
  return { watch, seen, tell, refused };
}

const refusal = (error: HcmError): TunnelEventBody => ({ event: 'refused', stream: 'a', error });

describe('the watch on a foreground forward', () => {
  it('counts streams from the moment that a client has come until they are refused or closed', () => {
    const { watch, tell, seen } = watched();
    tell({ event: 'opening', stream: 'a' }, { event: 'opening', stream: 'b' });
    assert.equal(watch.openStreams, 2);
    tell({ event: 'opened', stream: 'a', setupMs: 1 }, refusal(noListener));
    assert.equal(watch.openStreams, 1);
    tell({ event: 'closed', stream: 'a', bytesIn: 0, bytesOut: 0 });
    assert.equal(watch.openStreams, 0);
    assert.deepEqual(seen, ['opening', 'opening', 'opened', 'refused', 'closed']);
  });

  it('counts requests over HTTP until they are over; one that was answered says that all is well', async () => {
    const { watch, tell, refused } = watched();
    const over = { event: 'request', stream: 'a', bytesIn: 0, bytesOut: 0, durationMs: 1 } as const;
    tell({ event: 'opening', stream: 'a' });
    assert.equal(watch.openStreams, 1);
    tell({ ...over, status: 404 });
    assert.equal(watch.openStreams, 0);
    tell({ event: 'opening', stream: 'b' }, refusal(wrongKey));
    assert.equal(await refused(), undefined);
    const unanswered = watched();
    unanswered.tell(
      { event: 'opening', stream: 'a' },
      over,
      { event: 'opening', stream: 'b' },
      refusal(wrongKey),
    );
    assert.equal(await unanswered.refused(), 'HCM_TOKEN_SIGNATURE');
  });

  it('a first answer that is final ends it; no listener, no network and a later answer do not', async () => {
    const wrong = watched();
    wrong.tell(refusal(wrongKey));
    assert.equal(await wrong.refused(), 'HCM_TOKEN_SIGNATURE');
    for (const first of [refusal(noListener), { event: 'opened', stream: 'a', setupMs: 1 } as const]) {
      const lasting = watched();
      lasting.tell(first, refusal(wrongKey));
      assert.equal(await lasting.refused(), undefined);
    }
    const unanswered = watched();
    unanswered.tell(refusal(noNetwork), refusal(wrongKey));
    assert.equal(await unanswered.refused(), 'HCM_TOKEN_SIGNATURE');
  });

  it('nothing ends it with --keep-trying', async () => {
    const { tell, refused } = watched(true);
    tell(refusal(wrongKey));
    assert.equal(await refused(), undefined);
  });
});
