import assert from 'node:assert/strict';
import { ConnectionRecord, type ConnectionState } from '../../../src/manager/connection-record.ts';
import type { TunnelEventBody } from '../../../src/tunnel/events.ts';
import { failure, reasonOf } from '../../helpers/fake-tunnels.ts';

describe('the record of a connection', () => {
  let nowMs: number;
  let states: ConnectionState[];
  let record: ConnectionRecord;

  beforeEach(() => {
    nowMs = 1_000;
    states = [];
    record = new ConnectionRecord(
      () => nowMs,
      (state) => states.push(state),
    );
  });

  const apply = (body: TunnelEventBody) => record.apply({ time: '', connection: 'my-relay/db', ...body });

  it('follows a listener from its first attempt to the relay and back', () => {
    apply({ event: 'connecting' });
    apply({ event: 'online', target: 'db:5432' });
    nowMs = 5_000;
    apply({ event: 'reconnecting', retryInMs: 2_000, attempt: 1, error: failure() });
    apply({ event: 'connecting' });
    nowMs = 8_000;
    apply({ event: 'online', target: 'db:5432' });
    apply({ event: 'offline' });
    assert.deepEqual(
      states.map(({ name }) => name),
      ['online', 'waiting', 'connecting', 'online', 'stopped'],
    );
    assert.deepEqual(states[1], {
      name: 'waiting',
      reason: reasonOf('HCM_CONNECTION_LOST', 'it was lost'),
      retryAtMs: 7_000,
      sinceMs: 5_000,
    });
    assert.equal(record.totals.reconnects, 1);
    assert.equal(record.target, 'db:5432');
  });

  it('is degraded while its target refuses, and says why, until a stream finds its way again', () => {
    apply({ event: 'online' });
    apply({ event: 'rejected', stream: 's1', error: failure('HCM_TARGET_REFUSED', 'db:5432 refused') });
    assert.deepEqual(record.state, {
      name: 'degraded',
      reason: reasonOf('HCM_TARGET_REFUSED', 'db:5432 refused'),
      sinceMs: 1_000,
    });
    apply({ event: 'accepted', stream: 's2', target: 'db:5432', setupMs: 12 });
    assert.equal(record.state.name, 'online');
  });

  it('is not degraded by a client that went away', () => {
    apply({ event: 'online' });
    apply({ event: 'refused', stream: 's1', error: failure('HCM_ABORTED', 'the client left') });
    assert.equal(record.state.name, 'online');
  });

  it('knows the streams that are open, and adds up those that are over', () => {
    apply({ event: 'online' });
    apply({ event: 'accepted', stream: 's1', target: 'db:5432', remote: '203.0.113.9:62917', setupMs: 12 });
    nowMs = 3_000;
    apply({ event: 'accepted', stream: 's2', target: 'db:5432', setupMs: 12 });
    assert.deepEqual(record.streams.get('s1'), {
      stream: 's1',
      sinceMs: 1_000,
      target: 'db:5432',
      remote: '203.0.113.9:62917',
    });
    apply({ event: 'closed', stream: 's1', bytesIn: 10, bytesOut: 20 });
    apply({ event: 'closed', stream: 's2', bytesIn: 1, bytesOut: 2, error: failure() });
    assert.equal(record.streams.size, 0);
    assert.deepEqual(record.totals, { opened: 2, refused: 0, bytesIn: 11, bytesOut: 22, reconnects: 0 });
    assert.equal(record.errors.length, 1);
  });

  it('keeps the newest errors as text, and not all of them', () => {
    for (let at = 0; at < 30; at += 1) {
      apply({ event: 'rejected', stream: `s${at}`, error: failure('HCM_TARGET_REFUSED', `number ${at}`) });
    }
    assert.equal(record.errors.length, 20);
    assert.deepEqual(record.errors[0], {
      ...reasonOf('HCM_TARGET_REFUSED', 'number 29'),
      atMs: 1_000,
      stream: 's29',
    });
  });

  it('counts errors by their code, also those that it no longer keeps', () => {
    for (let at = 0; at < 30; at += 1)
      apply({ event: 'rejected', stream: `s${at}`, error: failure('HCM_TARGET_REFUSED', 'no') });
    apply({ event: 'reconnecting', retryInMs: 1_000, attempt: 1, error: failure() });
    assert.deepEqual(
      [...record.errorCounts],
      [
        ['HCM_TARGET_REFUSED', 30],
        ['HCM_CONNECTION_LOST', 1],
      ],
    );
  });

  it('knows how long openings took, of listeners and of forwards', () => {
    apply({ event: 'accepted', stream: 's1', target: 'db:5432', setupMs: 12 });
    apply({ event: 'opened', stream: 's2', setupMs: 300 });
    assert.deepEqual(record.setUp.newest, [12, 300]);
  });

  it('tells a state once, however often it is confirmed', () => {
    apply({ event: 'online' });
    apply({ event: 'online' });
    assert.equal(states.length, 1);
  });

  const stateName = () => record.state.name;
  const refused = (target: string) => failure('HCM_TARGET_REFUSED', `${target} refused`);

  it('is not mended by a stream to another target', () => {
    apply({ event: 'online' });
    apply({ event: 'rejected', stream: 's1', port: 'a', target: 'a:1', error: refused('a:1') });
    apply({ event: 'accepted', stream: 's2', port: 'b', target: 'b:1', setupMs: 1 });
    assert.equal(stateName(), 'degraded');
    assert.deepEqual(record.downTargets, ['a:1']);
    record.reached('a:1');
    assert.deepEqual([stateName(), record.downTargets], ['online', []]);
  });

  it('is not degraded by senders that ask for what there is not', () => {
    apply({ event: 'online' });
    for (const code of ['HCM_LOGICAL_PORT_UNKNOWN', 'HCM_DIALECT_MISMATCH', 'HCM_HTTP_UNSERVED'] as const)
      apply({ event: 'rejected', stream: 's1', error: failure(code, 'no such thing') });
    assert.equal(stateName(), 'online');
    assert.equal(record.errors.length, 3);
  });

  it('of a forward is degraded by what its listener does not have', () => {
    record.up();
    apply({ event: 'refused', stream: 's1', error: failure('HCM_LOGICAL_PORT_UNKNOWN', 'no such port') });
    assert.equal(stateName(), 'degraded');
    apply({ event: 'opened', stream: 's2', setupMs: 1 });
    assert.equal(stateName(), 'online');
  });

  it('is at its limit until a stream is over', () => {
    apply({ event: 'online' });
    apply({ event: 'accepted', stream: 's1', target: 'a:1', setupMs: 1 });
    apply({ event: 'rejected', stream: 's2', error: failure('HCM_LISTENER_BUSY', 'the limit is reached') });
    assert.equal(stateName(), 'degraded');
    apply({ event: 'closed', stream: 's1', bytesIn: 0, bytesOut: 0 });
    assert.equal(stateName(), 'online');
  });

  it('is degraded by a request whose target does not answer, and mended by one that is answered', () => {
    const request = { bytesIn: 0, bytesOut: 0, durationMs: 1, target: 'http://a' };
    apply({ event: 'online', target: 'http://a' });
    apply({ event: 'request', stream: 'r1', ...request, error: failure('HCM_ABORTED', 'the sender left') });
    assert.equal(stateName(), 'online');
    apply({ event: 'request', stream: 'r2', ...request, error: refused('http://a') });
    assert.equal(stateName(), 'degraded');
    apply({ event: 'request', stream: 'r3', ...request, status: 200 });
    assert.equal(stateName(), 'online');
  });

  it('counts the streams of a tunnel that is only draining, and hears nothing else from it', () => {
    apply({ event: 'online' });
    record.applyPast({
      ...{ time: '', connection: 'my-relay/db' },
      ...{ event: 'accepted', stream: 's1', target: 'a:1', setupMs: 1 },
    });
    record.applyPast({ time: '', connection: 'my-relay/db', event: 'offline', error: failure() });
    assert.deepEqual([stateName(), record.streams.size], ['online', 1]);
  });
});
