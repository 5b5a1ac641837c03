import assert from 'node:assert/strict';
import { connectHeadersOf, listenerChoice, listenerChosen } from '../../../src/protocol/headers.ts';

describe('connectHeadersOf', () => {
  it('keeps names as sent, joins repeats, and drops the token of the relay only', () => {
    assert.deepEqual(
      connectHeadersOf([
        'Host',
        'ns1.example:443',
        'Sec-WebSocket-Key',
        'abc',
        'servicebusAUTHORIZATION',
        'SharedAccessSignature x',
        'Authorization',
        'Basic x',
        'X-A',
        '1',
        'x-a',
        '2',
        '0',
        'Sec-WebSocket-Extensions: permessage-deflate',
      ]),
      {
        Host: 'ns1.example:443',
        'Sec-WebSocket-Key': 'abc',
        Authorization: 'Basic x',
        'X-A': '1, 2',
        '0': 'Sec-WebSocket-Extensions: permessage-deflate',
      },
    );
  });

  it('is an object even when empty, and takes __proto__ for a name', () => {
    assert.deepEqual(connectHeadersOf([]), {});
    const headers = connectHeadersOf(['__proto__', 'x']);
    assert.deepEqual(Object.entries(headers), [['__proto__', 'x']]);
    assert.equal(JSON.stringify(headers), '{"__proto__":"x"}');
  });
});

describe('listenerChosen', () => {
  it('chooses by id without gateway, in any case', () => {
    const choice = listenerChoice(' AAAA , {bbbb},,', undefined);
    assert.ok(listenerChosen(choice, 'aaaa_G0'));
    assert.ok(listenerChosen(choice, 'BBBB'));
    assert.ok(!listenerChosen(choice, 'cccc'));
  });

  it('takes every listener without headers, and none that is unwanted', () => {
    assert.ok(listenerChosen(listenerChoice(undefined, undefined), 'x'));
    assert.ok(!listenerChosen(listenerChoice(undefined, 'x,y'), 'Y_G3'));
    assert.ok(!listenerChosen(listenerChoice('x', 'x'), 'x'));
  });
});
