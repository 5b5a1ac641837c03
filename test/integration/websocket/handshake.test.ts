/** The client side of the handshake against hand-written answers. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import {
  acceptKey,
  readHead,
  requestUpgrade,
  type UpgradeRequest,
} from '../../../src/websocket/handshake.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { destroySockets, socketPair } from '../../helpers/socket-pair.ts';
import { turn, turns } from '../../helpers/until.ts';

const GOOD = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Accept: %'];
const INVALID = { code: 'WS_HANDSHAKE_INVALID' };
const LOST = { code: 'WS_CONNECTION_LOST' };
const request: UpgradeRequest = { target: '/$hc/a?b=c', host: 'ns.example:8443' };

/** Reads the request as bytes of its own accord, and gives its text. */
async function requestText(server: Socket): Promise<string> {
  let text = '';
  for await (const chunk of server.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    text += chunk.toString('latin1');
    if (text.endsWith('\r\n\r\n')) break;
  }
  return text;
}

function answerTo(
  text: string,
  lines: readonly string[],
  status = 'HTTP/1.1 101 Switching Protocols',
): string {
  const key = /^Sec-WebSocket-Key: (.*)\r$/m.exec(text)?.[1] ?? '';
  return [status, ...lines, '', ''].join('\r\n').replace('%', acceptKey(key));
}

describe('requestUpgrade', () => {
  expectNothingLeft();
  let client: Socket;
  let server: Socket;
  beforeEach(async () => ({ client, server } = await socketPair()));
  afterEach(() => destroySockets(client, server));

  async function answered(
    lines: readonly string[],
    options: { status?: string; request?: Partial<UpgradeRequest> } = {},
  ) {
    const upgrade = requestUpgrade(client, { ...request, ...options.request });
    upgrade.catch(() => undefined);
    server.write(answerTo(await requestText(server), lines, options.status), 'latin1');
    return upgrade;
  }

  it('writes the request of the RFC, with a fresh key, its headers and protocols', async () => {
    const controller = new AbortController();
    const more = { headers: ['ServiceBusAuthorization', 'token'], protocols: ['a', 'b'] };
    const upgrade = requestUpgrade(client, { ...request, ...more }, controller.signal);
    const text = await requestText(server);
    assert.match(text, /^Sec-WebSocket-Key: [+/0-9A-Za-z]{22}==\r$/m);
    assert.equal(
      text.replace(/(?<=Key: ).*(?=\r)/, 'KEY'),
      'GET /$hc/a?b=c HTTP/1.1\r\nHost: ns.example:8443\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Key: KEY\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a, b\r\n' +
        'ServiceBusAuthorization: token\r\n\r\n',
    );
    controller.abort(new Error('enough'));
    await assert.rejects(upgrade, /enough/);
  });

  it('takes a 101, its protocol, and what follows it', async () => {
    const upgrade = requestUpgrade(client, { ...request, protocols: ['a', 'b'] });
    const text = answerTo(await requestText(server), [...GOOD, 'Sec-WebSocket-Protocol: b']);
    server.write(`${text}\x82\x00`, 'latin1');
    const answer = await upgrade;
    assert.deepEqual([answer.upgraded, answer.protocol, answer.rest.toString('hex')], [true, 'b', '8200']);
    assert.ok(client.isPaused());
    for (const event of ['data', 'end', 'error', 'close']) {
      const ours = client.listeners(event).filter((listener) => !/onReadableStreamEnd/.test(listener.name));
      assert.deepEqual(ours, [], event);
    }
  });

  it('takes a 101 that comes a byte at a time, headers in any case and order', async () => {
    const lines = [
      'CONNECTION: keep-alive, upgrade',
      'sec-websocket-accept:%',
      'upgrade:  WebSocket',
      'X: y',
    ];
    const upgrade = requestUpgrade(client, request);
    server.setNoDelay(true);
    for (const byte of answerTo(await requestText(server), lines)) {
      server.write(byte, 'latin1');
      await turn();
    }
    assert.equal((await upgrade).upgraded, true);
  });

  it('gives every other status with its phrase, from HTTP/1.0 too', async () => {
    for (const status of ['HTTP/1.1 404 No such: TrackingId:1', 'HTTP/1.0 407 Proxy', 'HTTP/1.1 502']) {
      const answer = await answered(['X: y'], { status });
      const [, code, phrase = ''] = /^\S+ (\d+) ?(.*)$/.exec(status) ?? [];
      assert.deepEqual([answer.upgraded, answer.status, answer.reason], [false, Number(code), phrase]);
      await destroySockets(client, server);
      ({ client, server } = await socketPair());
    }
  });

  const refusals: Record<string, { lines: string[]; status?: string; request?: Partial<UpgradeRequest> }> = {
    'a wrong accept value': { lines: [...GOOD.slice(0, 2), 'Sec-WebSocket-Accept: AAAA'] },
    'no accept value': { lines: GOOD.slice(0, 2) },
    'two accept values': { lines: [...GOOD, 'Sec-WebSocket-Accept: AAAA'] },
    'no Upgrade header': { lines: GOOD.slice(1) },
    'two Upgrade headers': { lines: [...GOOD, 'Upgrade: websocket'] },
    'an upgrade to something else': { lines: ['Upgrade: h2c', ...GOOD.slice(1)] },
    'a Connection header without upgrade': { lines: [GOOD[0] ?? '', 'Connection: close', GOOD[2] ?? ''] },
    'an extension': { lines: [...GOOD, 'Sec-WebSocket-Extensions: permessage-deflate'] },
    'a subprotocol that was not offered': { lines: [...GOOD, 'Sec-WebSocket-Protocol: x'] },
    'another subprotocol than those offered': {
      lines: [...GOOD, 'Sec-WebSocket-Protocol: A'],
      request: { protocols: ['a'] },
    },
    'two subprotocols': {
      lines: [...GOOD, 'Sec-WebSocket-Protocol: a', 'Sec-WebSocket-Protocol: b'],
      request: { protocols: ['a', 'b'] },
    },
    'a folded header line': { lines: [...GOOD, 'X: a', ' b'] },
    'a 101 of HTTP/1.0': { lines: GOOD, status: 'HTTP/1.0 101 Switching Protocols' },
    'another protocol': { lines: GOOD, status: 'ICY 101 OK' },
    'a status of two digits': { lines: GOOD, status: 'HTTP/1.1 99 x' },
    'a head that is too large': { lines: [...GOOD, `X: ${'x'.repeat(65536)}`] },
  };
  for (const [name, { lines, ...options }] of Object.entries(refusals)) {
    it(`refuses ${name}`, () => assert.rejects(answered(lines, options), INVALID));
  }

  it('refuses garbage', async () => {
    const upgrade = assert.rejects(requestUpgrade(client, request), INVALID);
    server.write(Buffer.alloc(70_000, 0xff));
    await upgrade;
  });

  it('rejects when the server ends, or breaks off, in the middle of the head', async () => {
    for (const stop of ['end', 'resetAndDestroy'] as const) {
      const upgrade = assert.rejects(requestUpgrade(client, request), LOST);
      await requestText(server);
      await new Promise<void>((resolve) => server.write('HTTP/1.1 101 Swi', () => resolve()));
      server[stop]();
      await upgrade;
      await destroySockets(client, server);
      ({ client, server } = await socketPair());
    }
  });

  it('rejects on a socket that has ended or closed already', async () => {
    server.end();
    client.resume();
    await new Promise((resolve) => client.once('end', resolve));
    await assert.rejects(readHead(client), LOST);
    await destroySockets(client, server);
    await assert.rejects(readHead(client), LOST);
  });

  it("rejects with the signal's reason, fired before or after", async () => {
    await assert.rejects(requestUpgrade(client, request, AbortSignal.abort(new Error('before'))), /before/);
    const controller = new AbortController();
    const upgrade = assert.rejects(requestUpgrade(client, request, controller.signal), /after/);
    await turns(3);
    controller.abort(new Error('after'));
    await upgrade;
  });
});
