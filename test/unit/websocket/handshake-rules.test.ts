import assert from 'node:assert/strict';
import {
  acceptKey,
  asksForWebSocket,
  checkUpgradeRequest,
  formatAcceptance,
} from '../../../src/websocket/handshake.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const good = ['Host', 'h', 'Sec-WebSocket-Key', KEY, 'Sec-WebSocket-Version', '13'];
const without = (name: string) => good.filter((_, at) => good[at - (at % 2)] !== name);

describe('The server side of the handshake', () => {
  it("answers the RFC's sample key with the RFC's accept value", () => {
    assert.equal(acceptKey(KEY), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  });

  it('writes the 101, byte for byte', () => {
    assert.equal(
      formatAcceptance(good, { protocol: 'wssubprotocol', headers: ['Server', 'x'] }),
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: wssubprotocol\r\n' +
        'Server: x\r\n\r\n',
    );
    assert.doesNotMatch(formatAcceptance(good), /Protocol: /);
  });

  it('sees who asks for a WebSocket', () => {
    for (const value of ['websocket', 'WebSocket', 'h2c, websocket']) {
      assert.ok(asksForWebSocket(['upgrade', value]), value);
    }
    assert.equal(asksForWebSocket(['Upgrade', 'h2c']), false);
    assert.equal(asksForWebSocket(['X', 'websocket']), false);
  });

  it('takes a request as the RFC wants it', () => {
    assert.equal(checkUpgradeRequest('GET', good), undefined);
  });

  it('refuses another method with 405', () => {
    assert.equal(checkUpgradeRequest('POST', good)?.status, 405);
  });

  it('refuses a missing, doubled or malformed key with 400', () => {
    assert.equal(checkUpgradeRequest('GET', without('Sec-WebSocket-Key'))?.status, 400);
    assert.equal(checkUpgradeRequest('GET', [...good, 'Sec-WebSocket-Key', KEY])?.status, 400);
    for (const key of ['', 'short', `${KEY}=`, KEY.replace('=', 'a'), KEY.replace('d', '*')]) {
      const headers = [...without('Sec-WebSocket-Key'), 'Sec-WebSocket-Key', key];
      assert.equal(checkUpgradeRequest('GET', headers)?.status, 400, key);
    }
  });

  it('refuses another version, none, or two with 426', () => {
    assert.equal(checkUpgradeRequest('GET', without('Sec-WebSocket-Version'))?.status, 426);
    assert.equal(checkUpgradeRequest('GET', [...good, 'Sec-WebSocket-Version', '13'])?.status, 426);
    const eight = [...without('Sec-WebSocket-Version'), 'Sec-WebSocket-Version', '8'];
    assert.equal(checkUpgradeRequest('GET', eight)?.status, 426);
  });
});
