import { deepEqual, equal } from 'node:assert/strict';
import { isKnownResource, parseScope } from '../../../src/emulator/entra/resources.ts';

const PORT = 5443;

describe('parseScope', () => {
  for (const [scope, resource] of [
    ['https://management.azure.com/.default', 'https://management.azure.com'],
    ['https://management.azure.com//.default', 'https://management.azure.com/'],
    ['https://management.core.windows.net//.default openid profile', 'https://management.core.windows.net/'],
    ['https://relay.azure.net/user_impersonation offline_access', 'https://relay.azure.net'],
    ['openid profile', '00000003-0000-0000-c000-000000000000'],
    ['User.Read', '00000003-0000-0000-c000-000000000000'],
  ] as const) {
    it(`takes ${scope} for ${resource}`, () => equal(parseScope(scope)?.resource, resource));
  }

  it('knows what OpenID Connect adds', () => {
    const asked = parseScope('https://relay.azure.net/.default openid offline_access');
    deepEqual([asked?.openid, asked?.offline], [true, true]);
    deepEqual(asked?.scopes, ['https://relay.azure.net/.default']);
  });

  it('refuses two resources at once', () => {
    equal(parseScope('https://relay.azure.net/.default https://management.azure.com/.default'), undefined);
  });
});

describe('isKnownResource', () => {
  for (const [resource, known] of [
    ['https://management.azure.com/', true],
    ['https://MANAGEMENT.core.usgovcloudapi.net', true],
    ['https://relay.chinacloudapi.cn', true],
    [`https://localhost:${PORT}`, true],
    [`https://127.0.0.1:${PORT}/`, true],
    [`https://[::1]:${PORT}`, true],
    [`https://localhost:${PORT + 1}`, false],
    [`https://localhost:${PORT}/path`, false],
    ['https://vault.azure.net', false],
    [`https://example.com:${PORT}`, false],
    ['', false],
  ] as const) {
    it(`${known ? 'knows' : 'does not know'} "${resource}"`, () => {
      equal(isKnownResource(resource, PORT), known);
    });
  }
});
