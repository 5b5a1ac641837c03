import assert from 'node:assert/strict';
import { toArmError } from '../../../../src/lib/arm/arm-error.ts';
import { toUserError } from '../../../../src/lib/cli/to-user-error.ts';
import { HcmError, type ErrorCode } from '../../../../src/protocol/errors.ts';
import { armError, FakeArm, type FakeAnswer } from '../../../helpers/fake-arm.ts';

const PATH = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Relay/namespaces/ns';

/** What `send` makes of an answer. */
async function errorOf(answer: FakeAnswer): Promise<HcmError> {
  const arm = new FakeArm(() => answer, { retry: { attempts: 1 } });
  const about = 'the namespace "ns"';
  const sent = arm.azure.send({ method: 'GET', path: PATH, apiVersion: '2017-04-01', about });
  return sent.then(
    () => assert.fail('no error'),
    (error: unknown) => {
      assert.ok(error instanceof HcmError, String(error));
      return error;
    },
  );
}

type Case = [what: string, answer: FakeAnswer, code: ErrorCode];

const CASES: Case[] = [
  ['401', { status: 401, body: armError('ExpiredAuthenticationToken', 'x') }, 'HCM_AZURE_UNAUTHORIZED'],
  ['403', { status: 403, body: armError('AuthorizationFailed', 'x') }, 'HCM_AZURE_FORBIDDEN'],
  ['a policy', { status: 403, body: armError('RequestDisallowedByPolicy', 'x') }, 'HCM_AZURE_FORBIDDEN'],
  ['no group', { status: 404, body: armError('ResourceGroupNotFound', 'x') }, 'HCM_RESOURCE_NOT_FOUND'],
  ['no resource', { status: 404, body: armError('ResourceNotFound', 'x') }, 'HCM_RESOURCE_NOT_FOUND'],
  ['no subscription', { status: 404, body: armError('SubscriptionNotFound', 'x') }, 'HCM_RESOURCE_NOT_FOUND'],
  ['no id', { status: 400, body: armError('InvalidSubscriptionId', 'x') }, 'HCM_RESOURCE_NOT_FOUND'],
  ['an empty 404', { status: 404 }, 'HCM_RESOURCE_NOT_FOUND'],
  [
    'an unregistered provider',
    { status: 409, body: armError('MissingSubscriptionRegistration', 'x') },
    'HCM_PROVIDER_NOT_REGISTERED',
  ],
  [
    'a location',
    { status: 400, body: armError('LocationNotAvailableForResourceType', 'x') },
    'HCM_LOCATION_INVALID',
  ],
  [
    'a taken name, by its words',
    { status: 400, body: armError('BadRequest', 'The specified name is not available. CorrelationId: 1') },
    'HCM_NAME_TAKEN',
  ],
  [
    'a reserved name, by its words',
    { status: 400, body: armError('BadRequest', 'The specified service namespace is invalid.') },
    'HCM_NAME_INVALID',
  ],
  [
    'a child of a namespace that is not ready',
    {
      status: 404,
      body: armError('NotFound', 'The namespace ns is not active, its current state is Created.'),
    },
    'HCM_RESOURCE_CONFLICT',
  ],
  [
    'two changes at once',
    { status: 429, body: armError('429', 'SubCode=40901. Another conflicting operation is in progress.') },
    'HCM_RESOURCE_CONFLICT',
  ],
  ['a conflict', { status: 409, body: armError('Conflict', 'x') }, 'HCM_RESOURCE_CONFLICT'],
  [
    'throttling',
    { status: 429, body: armError('SubscriptionRequestsThrottled', 'x') },
    'HCM_AZURE_THROTTLED',
  ],
  ['a bad request', { status: 400, body: armError('BadRequest', 'x') }, 'HCM_AZURE_REJECTED'],
  ['a page of a gateway', { status: 503, body: '<html>no</html>' }, 'HCM_AZURE_UNAVAILABLE'],
  [
    "App Service's own shape",
    { status: 404, body: { Code: 'NotFound', Message: 'Cannot find WebSite with name X.' } },
    'HCM_RESOURCE_NOT_FOUND',
  ],
  [
    "App Service's quota, which is a 401",
    { status: 401, body: { Code: 'Unauthorized', Message: 'Quota exceeded.' } },
    'HCM_AZURE_REJECTED',
  ],
  [
    'a full plan, by its words',
    {
      status: 400,
      body: { Code: 'BadRequest', Message: 'it would exceed the allowed amount of 5 connections' },
    },
    'HCM_PLAN_LIMIT',
  ],
  ['a header alone', { status: 404, headers: { 'x-ms-error-code': 'NoSuch' } }, 'HCM_RESOURCE_NOT_FOUND'],
];

describe('errors of Azure', () => {
  for (const [what, answer, code] of CASES) {
    it(`${what}: ${code}`, async () => assert.equal((await errorOf(answer)).code, code));
  }

  it("keep Azure's code, words and correlation id, and name what the call was for", async () => {
    const error = await errorOf({
      ...{ status: 403, headers: { 'x-ms-correlation-request-id': 'c-1' } },
      body: armError('AuthorizationFailed', 'The client may\nnot do this'),
    });
    assert.equal(error.message, 'The namespace "ns": you may not do this. The client may not do this.');
    assert.deepEqual(toUserError(error).azure, {
      ...{ status: 403, code: 'AuthorizationFailed' },
      ...{ message: 'The client may not do this', correlationId: 'c-1' },
    });
  });

  it('without words say the status and the code', async () => {
    const { message, details } = await errorOf({ status: 404, headers: { 'x-ms-error-code': 'NoSuch' } });
    assert.equal(message, 'The namespace "ns": Azure answered 404 NoSuch.');
    assert.equal(details['azureCode'], 'NoSuch');
  });

  it('are cut when they go on for pages', async () => {
    const { message } = await errorOf({ status: 400, body: armError('BadRequest', 'x'.repeat(5_000)) });
    assert.ok(message.length < 700, String(message.length));
  });

  it('name the command to type next where the code tells it', async () => {
    const { details } = await errorOf({ status: 404, body: armError('SubscriptionNotFound', 'x') });
    assert.equal(details['next'], 'hcm account list');
  });

  it('a 200 that is no JSON is a problem of Azure, or of what stands in between', async () => {
    assert.equal((await errorOf({ body: '<html>' })).code, 'HCM_AZURE_UNAVAILABLE');
  });

  it('of the SDK mean the same', async () => {
    const arm = new FakeArm(() => ({ status: 404, body: armError('ResourceGroupNotFound', 'no group') }), {
      retry: { attempts: 1 },
    });
    const relay = await arm.azure.relay();
    const error = await relay.namespaces.get('g', 'ns').catch((caught: unknown) => toArmError(caught, 'it'));
    assert.ok(error instanceof HcmError);
    assert.deepEqual([error.code, error.message], ['HCM_RESOURCE_NOT_FOUND', 'It: no group.']);
  });
});

describe('errors on the way to Azure', () => {
  const network: [seen: string, code: ErrorCode][] = [
    ['ENOTFOUND', 'HCM_DNS_FAILED'],
    ['ECONNREFUSED', 'HCM_CONNECT_REFUSED'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'HCM_TLS_UNTRUSTED'],
    ['ECONNRESET', 'HCM_CONNECT_FAILED'],
  ];
  for (const [seen, code] of network) {
    it(`${seen} is ${code}`, async () => {
      const arm = new FakeArm(
        () => {
          throw Object.assign(new Error('no'), {
            code: seen,
            request: { url: 'https://management.azure.com/x' },
          });
        },
        { retry: { attempts: 1 } },
      );
      const error = await arm.azure
        .send({ method: 'GET', path: '/x', apiVersion: '1' })
        .catch((caught: unknown) => caught);
      assert.ok(error instanceof HcmError);
      assert.deepEqual([error.code, error.details['host']], [code, 'management.azure.com']);
    });
  }

  it('an error of ours, such as one of the sign-in, is passed on', () => {
    const ours = new HcmError('HCM_SIGN_IN_REQUIRED', 'Nobody is signed in.');
    assert.equal(toArmError(ours, 'x'), ours);
  });
});
