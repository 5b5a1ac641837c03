import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { refusalOf } from '../../../../src/manager/web/request-guard.ts';

const PORT = 5005;
const OWN = 'http://127.0.0.1:5005';
const FETCH_SITE = 'sec-fetch-site';

type Row = readonly [method: string, headers: IncomingHttpHeaders];

describe('what the web server hears', () => {
  const HEARD: readonly Row[] = [
    ['GET', { host: '127.0.0.1:5005' }],
    ['GET', { host: 'localhost:5005' }],
    ['GET', { host: 'LocalHost:5005' }],
    ['HEAD', { host: '127.0.0.1:5005', [FETCH_SITE]: 'none' }],
    ['GET', { host: '127.0.0.1:5005', [FETCH_SITE]: 'same-origin', origin: OWN }],
    ['POST', { host: '127.0.0.1:5005', origin: OWN }],
    ['DELETE', { host: 'localhost:5005', origin: 'http://localhost:5005' }],
  ];
  for (const [method, headers] of HEARD) {
    it(`${method} ${JSON.stringify(headers)}`, () =>
      assert.equal(refusalOf({ method, headers }, PORT), undefined));
  }

  const host = '127.0.0.1:5005';
  const REFUSED: readonly Row[] = [
    ['GET', {}],
    ['GET', { host: '' }],
    ['GET', { host: '127.0.0.1' }],
    ['GET', { host: '127.0.0.1:5006' }],
    ['GET', { host: '127.0.0.1:50050' }],
    ['GET', { host: '127.0.0.1.evil.example:5005' }],
    ['GET', { host: 'evil.example:5005' }],
    ['GET', { host: 'localhost.:5005' }],
    ['GET', { host: 'x@127.0.0.1:5005' }],
    ['GET', { host: '0.0.0.0:5005' }],
    ['GET', { host: '[::1]:5005' }],
    ['GET', { host, [FETCH_SITE]: 'cross-site' }],
    // Another port of this machine is the same site, and somebody else.
    ['GET', { host, [FETCH_SITE]: 'same-site' }],
    ['GET', { host, origin: 'http://evil.example' }],
    ['GET', { host, origin: 'null' }],
    ['GET', { host, origin: 'http://127.0.0.1:5006' }],
    ['GET', { host, origin: 'https://127.0.0.1:5005' }],
    ['GET', { host, origin: 'http://localhost:5005' }],
    ['GET', { host, origin: `${OWN}.evil.example` }],
    ['POST', { host }],
    ['DELETE', { host, [FETCH_SITE]: 'same-origin' }],
    ['OPTIONS', { host }],
    ['PUT', { host, origin: '' }],
  ];
  for (const [method, headers] of REFUSED) {
    it(`not ${method} ${JSON.stringify(headers)}`, () => {
      const refusal = refusalOf({ method, headers }, PORT);
      assert.ok(refusal);
      for (const sent of Object.values(headers)) assert.ok(!sent || !refusal.includes(`evil`), refusal);
    });
  }

  it('on port 80 a browser leaves the port out', () => {
    assert.equal(refusalOf({ headers: { host: '127.0.0.1', origin: 'http://127.0.0.1' } }, 80), undefined);
    assert.ok(refusalOf({ headers: { host: '127.0.0.1' } }, 8080));
  });

  it('a link of hcm dashboard, which a file of the user leads to, and nothing else of another site', () => {
    const opened = { host, [FETCH_SITE]: 'cross-site', 'sec-fetch-mode': 'navigate' };
    const invited = { isInvited: true };
    assert.equal(refusalOf({ headers: opened }, PORT, invited), undefined);
    assert.ok(refusalOf({ headers: opened }, PORT));
    assert.ok(refusalOf({ headers: { ...opened, 'sec-fetch-mode': 'no-cors' } }, PORT, invited));
    assert.ok(refusalOf({ headers: { ...opened, origin: 'null' } }, PORT, invited));
    assert.ok(refusalOf({ headers: { ...opened, host: 'evil.example:5005' } }, PORT, invited));
  });
});
