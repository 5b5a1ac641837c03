import assert from 'node:assert/strict';
import { abortSignalOf, Cancellation } from '../../../src/websocket/cancel-signal.ts';

describe('a cancellation', () => {
  const stop = new Error('stop');

  it('tells each who listens, once, and keeps the first reason', () => {
    const cancellation = new Cancellation();
    const heard: string[] = [];
    const twice = () => heard.push('twice');
    cancellation.addEventListener('abort', twice);
    cancellation.addEventListener('abort', twice);
    cancellation.addEventListener('abort', () => heard.push(cancellation.reason.message));
    assert.equal(cancellation.aborted, false);
    cancellation.abort(new Error('first'));
    cancellation.abort(new Error('second'));
    assert.deepEqual(heard, ['twice', 'first']);
    assert.equal(cancellation.aborted, true);
    assert.equal(cancellation.reason.message, 'first');
  });

  it('tells nobody who has left, nor one who is taken off by another on the way', () => {
    const cancellation = new Cancellation();
    const heard: string[] = [];
    const gone = () => heard.push('gone');
    cancellation.addEventListener('abort', gone);
    cancellation.removeEventListener('abort', gone);
    cancellation.addEventListener('abort', () => cancellation.removeEventListener('abort', later));
    const later = () => heard.push('later');
    cancellation.addEventListener('abort', later);
    cancellation.abort(stop);
    assert.deepEqual(heard, []);
  });

  it('is an AbortSignal for those who take nothing else, before and after it fires', () => {
    const cancellation = new Cancellation();
    const before = abortSignalOf(cancellation);
    assert.equal(before.aborted, false);
    cancellation.abort(stop);
    assert.equal(before.reason, stop);
    assert.equal(abortSignalOf(cancellation).reason, stop);
    const { signal } = new AbortController();
    assert.equal(abortSignalOf(signal), signal);
  });
});
