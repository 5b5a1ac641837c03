import assert from 'node:assert/strict';
import { proxyName, proxyReason } from '../../../../../src/lib/services/doctor/proxy-reason.ts';

const PROXY = { kind: 'http', host: 'proxy.corp', port: 3128, username: 'me', password: 'secret' } as const;
const NOBODY = { source: undefined };

describe('why a proxy is used', () => {
  it('a flag or its variable names it, or says off', () => {
    assert.equal(proxyReason('relay.corp', PROXY, { source: '--proxy' }, {}), '--proxy names it');
    assert.equal(proxyReason('relay.corp', undefined, { source: 'HCM_PROXY' }, {}), 'HCM_PROXY says off');
  });

  it('else the variable that other programs read', () => {
    assert.equal(
      proxyReason('relay.corp', PROXY, NOBODY, { ALL_PROXY: 'x', NO_PROXY: '' }),
      'ALL_PROXY names it',
    );
    assert.equal(
      proxyReason('relay.corp', PROXY, NOBODY, { ALL_PROXY: 'x', https_proxy: 'y' }),
      'https_proxy names it',
    );
  });

  it('NO_PROXY takes a host out of it, and loopback never goes there', () => {
    const env = { HTTPS_PROXY: 'x', NO_PROXY: '.corp' };
    assert.equal(
      proxyReason('relay.corp', undefined, NOBODY, env),
      'NO_PROXY takes relay.corp out of HTTPS_PROXY',
    );
    assert.match(proxyReason('localhost', undefined, NOBODY, env), /loopback/);
  });

  it('without any there is none', () => {
    assert.match(proxyReason('relay.corp', undefined, NOBODY, {}), /^neither --proxy nor/);
  });

  it('is named without user and password', () => {
    assert.equal(proxyName(PROXY), 'http://proxy.corp:3128');
    assert.equal(proxyName({ kind: 'socks5', host: '::1', port: 1080 }), 'socks5://[::1]:1080');
  });
});
