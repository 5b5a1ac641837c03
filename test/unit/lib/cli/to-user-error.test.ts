import assert from 'node:assert/strict';
import { ERROR_TABLE } from '../../../../src/lib/error-table.ts';
import { docsLink, toUserError } from '../../../../src/lib/cli/to-user-error.ts';
import { ERROR_CODES, HcmError } from '../../../../src/protocol/errors.ts';

const SECRET = 'SharedAccessKey=c2VjcmV0c2VjcmV0';

describe('errors for users', () => {
  for (const code of ERROR_CODES) {
    it(`${code} has a documented status and something to do next`, () => {
      const { exitStatus, next } = toUserError(new HcmError(code, 'x'));
      assert.ok([1, 2, 3, 4, 5, 6, 7, 124, 130].includes(exitStatus));
      assert.ok(next.length > 5 && !next.includes('undefined'), next);
    });
  }

  it('only fields of the allow-list leave: no cause, no stack, no argv', () => {
    const error = new HcmError('HCM_UNAUTHORIZED', 'Refused', {
      cause: new Error(SECRET),
      details: { argv: SECRET },
    });
    assert.deepEqual(Object.keys(toUserError(error)), ['code', 'message', 'exitStatus', 'next']);
    assert.ok(!JSON.stringify(toUserError(error)).includes('c2Vj'));
  });

  it('a connection that is gone, and is not named, is no name to check', () => {
    const next = (details: object) =>
      toUserError(new HcmError('HCM_ENTITY_NOT_FOUND', 'x', { details: { ...details } })).next;
    assert.match(next({}), /^See whether it still exists/);
    assert.match(next({ path: 'db' }), /^Check the name "db"/);
  });

  it('a listener to start is named as one types it', () => {
    const next = (details: Record<string, string>) =>
      toUserError(new HcmError('HCM_NO_LISTENER', 'x', { details })).next;
    const cases: [Record<string, string>, string][] = [
      [{ host: 'my-relay.servicebus.windows.net', path: 'team/db' }, 'my-relay/team/db'],
      [{ host: 'r.servicebus.chinacloudapi.cn', path: 'db' }, 'r.servicebus.chinacloudapi.cn/db'],
      [{ host: 'r.servicebus.localhost', path: 'db' }, 'r.servicebus.localhost/db'],
      [{ path: 'db' }, 'db'],
      [{}, 'CONNECTION'],
    ];
    for (const [details, name] of cases)
      assert.ok(next(details).endsWith(`: hcm listen ${name} --target HOST:PORT`), next(details));
  });

  it('a listener of an emulator by the name of this machine needs its connection string', () => {
    for (const host of ['localhost', '127.0.0.1', '::1']) {
      const { next } = toUserError(new HcmError('HCM_NO_LISTENER', 'x', { details: { host, path: 'db' } }));
      assert.ok(next.endsWith(': hcm listen --connection-string-file FILE --target HOST:PORT'), next);
    }
  });

  it('a Unix socket that cannot be bound is a matter of its folder, not of ports', () => {
    const next = (bind: string) =>
      toUserError(new HcmError('HCM_BIND_FAILED', 'x', { details: { bind } })).next;
    assert.match(next('unix:/no/such/x.sock'), /: ls -ld \/no\/such$/);
    assert.match(next('unix:/x.sock'), /: ls -ld \/$/);
    assert.match(next('unix:x.sock'), /: ls -ld \.$/);
    assert.match(next('127.0.0.1:80'), /a port above 1023/);
  });

  it('secrets in a message are hidden', () => {
    assert.ok(!JSON.stringify(toUserError(new Error(`failed with ${SECRET}`))).includes('c2Vj'));
  });

  it("keeps Azure's status, words and tracking id", () => {
    const details = { status: 401, reason: 'InvalidSignature: no', trackingId: 'abc_G1' };
    const { azure } = toUserError(new HcmError('HCM_TOKEN_SIGNATURE', 'x', { details }));
    assert.deepEqual(azure, { status: 401, message: 'InvalidSignature: no', trackingId: 'abc_G1' });
  });

  it("keeps Resource Manager's and Entra ID's code and correlation id, with a status or without", () => {
    const details = { azureCode: 'AADSTS7000215', azureMessage: 'Invalid secret', correlationId: 'c-1' };
    const { azure } = toUserError(new HcmError('HCM_SIGN_IN_FAILED', 'x', { details }));
    assert.deepEqual(azure, { code: 'AADSTS7000215', message: 'Invalid secret', correlationId: 'c-1' });
    const forbidden = {
      status: 403,
      azureCode: 'AuthorizationFailed',
      azureMessage: 'no',
      correlationId: 'c-2',
    };
    assert.deepEqual(toUserError(new HcmError('HCM_AZURE_FORBIDDEN', 'x', { details: forbidden })).azure, {
      ...{ status: 403, code: 'AuthorizationFailed', message: 'no', correlationId: 'c-2' },
    });
  });

  it('work that Ctrl-C ended is 130, and 143 when it was SIGTERM', () => {
    const ended = (signal: string) =>
      toUserError(new HcmError('HCM_INTERRUPTED', 'x', { details: { signal } })).exitStatus;
    assert.deepEqual([ended('SIGINT'), ended('SIGTERM')], [130, 143]);
  });

  it('a status that refuses nothing is not called an error of Azure', () => {
    for (const status of [101, 200, 204, 302]) {
      const details = { status, host: 'ns', path: 'db' };
      assert.equal(toUserError(new HcmError('HCM_ENTITY_NOT_FOUND', 'x', { details })).azure, undefined);
    }
  });

  it('what a proxy answers is not called an error of Azure', () => {
    const details = { proxy: 'proxy:3128', status: 403 };
    for (const code of ['HCM_PROXY_FAILED', 'HCM_PROXY_AUTH_REQUIRED'] as const)
      assert.equal(toUserError(new HcmError(code, 'x', { details })).azure, undefined);
  });

  it('a stop of our own does not blame the far side', () => {
    assert.doesNotMatch(toUserError(new HcmError('HCM_ABORTED', 'x')).next, /far side|again/);
  });

  it('a bug is HCM_UNEXPECTED with status 1; so is anything thrown that is no error', () => {
    for (const thrown of [new TypeError('x is not a function'), 'text', undefined, null]) {
      const { code, exitStatus } = toUserError(thrown);
      assert.deepEqual([code, exitStatus], ['HCM_UNEXPECTED', 1]);
    }
  });

  it('a full disk is a failure of the machine', () => {
    const { code, exitStatus } = toUserError(Object.assign(new Error('write'), { code: 'ENOSPC' }));
    assert.deepEqual([code, exitStatus], ['HCM_STATE_UNWRITABLE', 1]);
  });

  it("oclif's frame around the message of a flag is taken off", () => {
    const error = new HcmError('HCM_USAGE', 'x');
    error.message = 'Parsing --idle-timeout \n\t"5" is not a duration.\nSee more help with --help';
    assert.equal(toUserError(error).message, '--idle-timeout: "5" is not a duration.');
  });

  it('details of an error bring their own next step', () => {
    const { next } = toUserError(new HcmError('HCM_USAGE', 'x', { details: { next: 'hcm listen --help' } }));
    assert.equal(next, 'hcm listen --help');
  });

  it('a refused connection to a local relay says how to start one', () => {
    const details = { host: 'localhost', port: 5443 };
    assert.match(
      toUserError(new HcmError('HCM_CONNECT_REFUSED', 'x', { details })).next,
      /hcm emulator start/,
    );
  });

  it('an untrusted certificate of a local relay is the CA of that emulator, elsewhere that of a firewall', () => {
    const nextAt = (host: string) =>
      toUserError(new HcmError('HCM_TLS_UNTRUSTED', 'x', { details: { host, port: 5443 } })).next;
    assert.match(nextAt('demo.servicebus.localhost'), /CA of that emulator.*--ca-file/);
    assert.match(nextAt('demo.servicebus.windows.net'), /inspecting firewall.*--ca-file/);
  });

  it('the table has no code that does not exist, and links point into docs/errors.md', () => {
    assert.deepEqual(Object.keys(ERROR_TABLE).sort(), [...ERROR_CODES].sort());
    assert.equal(docsLink('HCM_USAGE'), 'docs/errors.md#hcm_usage');
  });
});
