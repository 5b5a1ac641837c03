import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import {
  type AcceptCommand,
  formatAccept,
  formatRenewToken,
  formatRequest,
  formatResponse,
  isInlineRequest,
  parseListenerMessage,
  parseServiceMessage,
} from '../../../src/protocol/control-messages.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/protocol/${name}`, import.meta.url), 'utf8').trimEnd();

describe('parseServiceMessage', () => {
  it('reads the accept message that was captured from the service, and we write it byte for byte', () => {
    const text = fixture('control-accept.json');
    const message = parseServiceMessage(text);
    assert.ok(message.kind === 'accept');
    assert.ok(message.address.startsWith('wss://g17-prod-xyz-010-sb.servicebus.windows.net/$hc/hyco1?'));
    assert.equal(message.connectHeaders['Sec-WebSocket-Key'], 'dGhlIHNhbXBsZSBub25jZQ==');
    assert.deepEqual(message.remoteEndpoint, { address: '203.0.113.9', port: 62917 });
    assert.equal(formatAccept(message), text);
  });

  it('reads the request message that was captured from the service, and we write it byte for byte', () => {
    const text = fixture('control-request.json');
    const message = parseServiceMessage(text);
    assert.ok(message.kind === 'request');
    assert.equal(message.method, 'POST');
    assert.equal(message.requestTarget, '/hyco1');
    assert.equal(message.body, true);
    assert.ok(isInlineRequest(message));
    assert.equal(formatRequest(message), text);
  });

  it('tells a request that waits at its address from an inline one without body', () => {
    const waiting = parseServiceMessage('{"request":{"address":"wss://x/?a"}}');
    assert.deepEqual(waiting, { kind: 'request', address: 'wss://x/?a' });
    assert.ok(waiting.kind === 'request' && !isInlineRequest(waiting));
    const inline = parseServiceMessage('{"request":{"address":"wss://x/?a","method":"GET","body":false}}');
    assert.ok(inline.kind === 'request' && isInlineRequest(inline) && !inline.body);
  });

  it('counts null as absent, and leaves out an odd remote endpoint', () => {
    assert.deepEqual(
      parseServiceMessage(
        '{"accept":{"address":"wss://x/?a","id":"1","connectHeaders":null,"remoteEndpoint":{"port":"9"}}}',
      ),
      { kind: 'accept', address: 'wss://x/?a', id: '1', connectHeaders: {} },
    );
  });

  it('names unknown messages by their fields', () => {
    assert.deepEqual(parseServiceMessage('{"injectFault":{},"x":1}'), {
      kind: 'unknown',
      keys: ['injectFault', 'x'],
    });
    assert.deepEqual(parseServiceMessage('{}'), { kind: 'unknown', keys: [] });
    assert.equal(parseServiceMessage('{"Accept":{}}').kind, 'unknown');
  });

  const malformed: [text: string, reason: RegExp][] = [
    ['', /not JSON/],
    ['{"accept":', /not JSON/],
    ['[]', /message is not an object/],
    ['null', /message is not an object/],
    ['"accept"', /message is not an object/],
    ['{"accept":[]}', /accept is not an object/],
    ['{"accept":{"id":"1"}}', /address/],
    ['{"accept":{"address":"","id":"1"}}', /address/],
    ['{"accept":{"address":"wss://x","id":7}}', /id/],
    ['{"accept":{"address":"wss://x","id":"1","connectHeaders":"x"}}', /connectHeaders/],
    ['{"accept":{"address":"wss://x","id":"1","connectHeaders":{"a":{}}}}', /connectHeaders/],
    ['{"request":{"address":"wss://x","body":"true"}}', /body/],
    ['{"request":{"address":"wss://x","method":1}}', /method/],
  ];
  for (const [text, reason] of malformed) {
    it(`calls ${text || 'nothing'} malformed`, () => {
      const message = parseServiceMessage(text);
      assert.ok(message.kind === 'malformed', message.kind);
      assert.match(message.reason, reason);
    });
  }

  it('takes __proto__ for a header name and nothing else', () => {
    const message = parseServiceMessage(
      '{"accept":{"address":"wss://x/?a","id":"1","connectHeaders":{"__proto__":"evil","constructor":"c"}}}',
    );
    assert.ok(message.kind === 'accept');
    assert.deepEqual(Object.entries(message.connectHeaders), [
      ['__proto__', 'evil'],
      ['constructor', 'c'],
    ]);
    assert.equal(Object.getPrototypeOf(message.connectHeaders), Object.prototype);
    assert.equal(parseServiceMessage('{"__proto__":{"accept":{}}}').kind, 'unknown');
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.json(), (text) => void parseServiceMessage(text)));
    fc.assert(fc.property(fc.string(), (text) => void parseListenerMessage(text)));
  });
});

describe('formatAccept', () => {
  it('writes what reads back as the same', () => {
    const text = fc.string({ minLength: 1 });
    const command = fc.record({
      address: text,
      id: text,
      connectHeaders: fc.dictionary(text, text),
      remoteEndpoint: fc.record({ address: text, port: fc.nat() }),
    });
    fc.assert(
      fc.property(command, (value: AcceptCommand) => {
        const written = formatAccept(value);
        assert.ok(!/[^\\]\//.test(written), 'every slash is escaped');
        const read = parseServiceMessage(written);
        assert.equal(JSON.stringify(read), JSON.stringify({ kind: 'accept', ...value }));
      }),
    );
  });
});

describe('parseListenerMessage', () => {
  it('reads a renewed token', () => {
    assert.equal(formatRenewToken('a"b'), '{"renewToken":{"token":"a\\"b"}}');
    assert.deepEqual(parseListenerMessage(formatRenewToken('a"b')), { kind: 'renewToken', token: 'a"b' });
    assert.equal(parseListenerMessage('{"renewToken":{}}').kind, 'malformed');
  });

  it('reads the response of the protocol guide, whose status is a text', () => {
    assert.deepEqual(
      parseListenerMessage(
        '{"response":{"requestId":"42","statusCode":"200","responseHeaders":{"Content-Type":"text/plain"},"body":true}}',
      ),
      {
        kind: 'response',
        requestId: '42',
        statusCode: 200,
        responseHeaders: { 'Content-Type': 'text/plain' },
        body: true,
      },
    );
  });

  it('takes numbers and lists as header values', () => {
    const message = parseListenerMessage(
      '{"response":{"requestId":"1","statusCode":204,"responseHeaders":{"content-length":5,"x":["a","b"]}}}',
    );
    assert.ok(message.kind === 'response');
    assert.deepEqual(message.responseHeaders, { 'content-length': '5', x: 'a, b' });
    assert.equal(message.body, false);
  });

  it('refuses a status that is none', () => {
    for (const status of ['"abc"', '99', '1000', '200.5', 'null', '""']) {
      const text = `{"response":{"requestId":"1","statusCode":${status}}}`;
      assert.equal(parseListenerMessage(text).kind, 'malformed', status);
    }
  });

  it('says of a response that is faulty whose it is', () => {
    for (const fault of [
      '"statusCode":"abc"',
      '"statusCode":200,"body":"yes"',
      '"statusCode":200,"responseHeaders":1',
    ]) {
      const message = parseListenerMessage(`{"response":{"requestId":"1",${fault}}}`);
      assert.ok(message.kind === 'malformed');
      assert.equal(message.requestId, '1', fault);
    }
    for (const fault of ['"requestId":1', '"requestId":null', '"requestId":{}']) {
      const message = parseListenerMessage(`{"response":{${fault},"statusCode":200}}`);
      assert.deepEqual([message.kind, 'requestId' in message], ['malformed', false]);
    }
  });

  it('reads what formatResponse writes', () => {
    const response = {
      requestId: '1',
      statusCode: 418,
      statusDescription: 'teapot',
      responseHeaders: { a: 'b' },
      body: false,
    };
    assert.deepEqual(parseListenerMessage(formatResponse(response)), { kind: 'response', ...response });
  });
});
