import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { WebSocketEnd } from '../../../src/tunnel/websocket-end.ts';
import { WebSocket } from '../../../src/websocket/websocket.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { destroySockets, socketPair } from '../../helpers/socket-pair.ts';
import { until, turns } from '../../helpers/until.ts';

describe('the end of a stream behind a reader that has stalled', () => {
  expectNothingLeft();

  for (const role of ['client', 'server'] as const) {
    it(`waits until the reader goes on, however long that takes (${role})`, async () => {
      const { client, server } = await socketPair();
      const [ours, theirs] = role === 'client' ? [client, server] : [server, client];
      const other = role === 'client' ? 'server' : 'client';
      const closeTimeoutMs = 50;
      const peer = new WebSocket(theirs, { role: other, closeTimeoutMs });
      let received = 0;
      let closed = false;
      let peerOver: { error: Error | undefined } | undefined;
      peer.start({
        onFragment: (payload) => (received += payload.length),
        onClose: () => (closed = true),
        onDrain: () => undefined,
        onEnd: (error) => (peerOver = { error }),
      });
      peer.pause();
      peer.close(1000); // it has nothing more to say, and will read later
      const webSocket = new WebSocket(ours, { role, closeTimeoutMs });
      const end = new WebSocketEnd(webSocket);
      let over: { error: Error | undefined } | undefined;
      let ended = false;
      end.start({
        onBytes: () => undefined,
        onEnd: () => (ended = true),
        onDrain: () => undefined,
        onClosed: (error) => (over = { error }),
      });
      await until(() => ended);
      const bytes = randomBytes(8 * 1024 * 1024); // more than the kernel takes
      end.write([bytes]);
      end.end();
      const from = performance.now();
      while (performance.now() - from < 4 * closeTimeoutMs) await turns(10);
      peer.resume();
      await until(() => over !== undefined && peerOver !== undefined);
      assert.deepEqual(
        { over, peerOver, received, closed },
        {
          over: { error: undefined },
          peerOver: { error: undefined },
          received: bytes.length,
          closed: true,
        },
      );
      await destroySockets(client, server);
    });
  }
});
