import assert from 'node:assert/strict';
import {
  connectAddresses,
  connectUrl,
  entityReadUrl,
  listenUrl,
  rejectUrl,
} from '../../../src/protocol/addresses.ts';
import { HcmError } from '../../../src/protocol/errors.ts';

const azure = { host: 'ns1.servicebus.windows.net', port: 443 };

describe('listenUrl', () => {
  it('leaves out port 443 and keeps the slashes of the name', () => {
    assert.equal(
      listenUrl(azure, 'team/db', { id: 'x 1' }).href,
      'wss://ns1.servicebus.windows.net/$hc/team/db?sb-hc-action=listen&sb-hc-id=x%201',
    );
  });

  it('keeps another port and puts IPv6 hosts in brackets', () => {
    assert.equal(
      listenUrl({ host: '::1', port: 5671 }, 'db').href,
      'wss://[::1]:5671/$hc/db?sb-hc-action=listen',
    );
  });
});

describe('connectUrl', () => {
  it('puts the user query first, without the names that belong to the relay', () => {
    const url = connectUrl(azure, 'db', { id: '7', suffix: '/a b/ü', query: '?x=%2f&sb-hc-action=listen&y' });
    assert.equal(
      url.href,
      'wss://ns1.servicebus.windows.net/$hc/db/a%20b/%C3%BC?x=%2f&y&sb-hc-action=connect&sb-hc-id=7',
    );
  });

  it('does not let a suffix climb to another entity', () => {
    for (const suffix of ['..', 'a/../../other', '.']) {
      assert.throws(
        () => connectUrl(azure, 'db', { suffix }),
        (error) => error instanceof HcmError && error.code === 'HCM_CONNECTION_INVALID',
      );
    }
  });

  it('escapes characters that would end the path', () => {
    assert.equal(connectUrl(azure, 'db', { suffix: 'a?b#c' }).pathname, '/$hc/db/a%3Fb%23c');
  });
});

describe('connectAddresses', () => {
  it('asks for each stream what its URL would', () => {
    const { host, pathname, search } = connectUrl(azure, 'team/db', { id: 'x 1' });
    assert.deepEqual(connectAddresses(azure, 'team/db')('x 1'), { host, pathname, search });
  });
});

describe('rejectUrl', () => {
  it('appends to the address to the letter', () => {
    const address = 'wss://g1.example/$hc/db?sb-hc-action=accept&sb-hc-id=%7e1_G1';
    assert.equal(
      rejectUrl(address, 502, 'Target refused: db:1 & more\r\nX: y'),
      `${address}&sb-hc-statusCode=502&sb-hc-statusDescription=Target%20refused%3A%20db%3A1%20%26%20more%20X%3A%20y`,
    );
  });
});

describe('entityReadUrl', () => {
  it('reads over https without $hc', () => {
    assert.equal(
      entityReadUrl(azure, 'team/db').href,
      'https://ns1.servicebus.windows.net/team/db?api-version=2016-07',
    );
  });
});
