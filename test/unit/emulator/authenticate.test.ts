/** Who may do what with which token: the order of the questions, and each answer. */
import { deepEqual } from 'node:assert/strict';
import {
  authenticate,
  ruleOfRawKey,
  type AuthenticationRequest,
} from '../../../src/emulator/relay/authenticate.ts';
import type { Right, RuleState } from '../../../src/emulator/state.ts';
import { signSasToken } from '../../../src/protocol/sas-token.ts';

const nowMs = Date.UTC(2026, 0, 1);
const expiresAtMs = nowMs + 60_000;

const rule = (name: string, rights: Right[], primaryKey = `${name}-1`): RuleState => ({
  ...{ name, rights, primaryKey },
  secondaryKey: `${primaryKey}-second`,
});
const entityRules = [
  rule('listener', ['Listen']),
  rule('sender', ['Send']),
  rule('shared', ['Send'], 'entity'),
];
const namespaceRules = [rule('root', ['Listen', 'Send', 'Manage']), rule('shared', ['Listen'], 'namespace')];

const sign = (keyName: string, key: string, more: { resource?: string; expiresAtMs?: number } = {}) =>
  signSasToken({ resource: 'http://localhost/hyco/', keyName, key, expiresAtMs, ...more });

const ask = (token: string | undefined, more: Partial<AuthenticationRequest> = {}) =>
  authenticate({
    ...{ token, rights: ['Listen'], entityRules, namespaceRules, hosts: ['localhost'], path: 'hyco' },
    ...{ nowMs, minValidityMs: 0, ...more },
  });
const yes = { ok: true, expiresAtMs };
const no = (condition: string) => ({ ok: false, condition });

describe('authenticate', () => {
  it('lets in who has the right, until the token expires', () => {
    deepEqual(ask(sign('listener', 'listener-1')), yes);
  });

  it('takes the secondary key too', () => {
    deepEqual(ask(sign('listener', 'listener-1-second')), yes);
  });

  it('compares the names of rules without case', () => {
    deepEqual(ask(sign('LISTENER', 'listener-1')), yes);
  });

  it('looks at the namespace when the entity has no such rule, or one with another key', () => {
    deepEqual(ask(sign('root', 'root-1')), yes);
    deepEqual(ask(sign('shared', 'namespace')), yes);
    deepEqual(ask(sign('shared', 'entity'), { rights: ['Send'] }), yes);
  });

  it('takes Manage for all rights', () => {
    deepEqual(ask(sign('m', 'm-1'), { entityRules: [rule('m', ['Manage'])] }), yes);
  });

  it('judges a token that it has let in before by the keys, the time and the rights of now', () => {
    const token = sign('again', 'again-1');
    const before = { entityRules: [rule('again', ['Listen'])] };
    deepEqual(ask(token, before), yes);
    deepEqual(ask(token, before), yes);
    deepEqual(ask(token, { entityRules: [rule('again', ['Listen'], 'new')] }), no('token-signature'));
    deepEqual(ask(token, { entityRules: [rule('again', ['Send'])] }), no('right-missing'));
    deepEqual(ask(token, { ...before, nowMs: expiresAtMs }), no('token-expired'));
    deepEqual(ask(token, { ...before, path: 'other' }), no('token-audience'));
    deepEqual(ask(token, before), yes);
  });

  it('is content with one of several rights', () => {
    deepEqual(ask(sign('sender', 'sender-1'), { rights: ['Listen', 'Send'] }), yes);
  });

  it('names what is wrong', () => {
    deepEqual(ask(undefined), no('token-missing'));
    deepEqual(ask('  '), no('token-missing'));
    deepEqual(ask('eyJhbGciOiJub25lIn0.e30.'), no('token-malformed'));
    deepEqual(ask('SharedAccessSignature sr=a&se=1&skn=listener'), no('token-malformed'));
    deepEqual(ask(sign('listener', 'other')), no('token-signature'));
    deepEqual(ask(sign('nobody', 'listener-1')), no('token-signature'));
    deepEqual(ask(sign('listener', 'listener-1', { resource: 'http://localhost/x' })), no('token-audience'));
    deepEqual(ask(sign('listener', 'listener-1', { expiresAtMs: nowMs })), no('token-expired'));
    deepEqual(ask(sign('sender', 'sender-1')), no('right-missing'));
  });

  it('tells nothing else to those who cannot sign', () => {
    deepEqual(ask(sign('listener', 'x', { resource: 'http://x/', expiresAtMs: 0 })), no('token-signature'));
  });

  it('asks for the validity that is left over', () => {
    deepEqual(ask(sign('listener', 'listener-1'), { minValidityMs: 60_000 }), yes);
    deepEqual(ask(sign('listener', 'listener-1'), { minValidityMs: 60_001 }), no('token-expired'));
  });

  it('verifies what stands in the token, not what it would write itself', () => {
    const token = sign('listener', 'listener-1');
    deepEqual(ask(token.replace('http%3A', 'http%3a')), no('token-signature'));
  });
});

describe('ruleOfRawKey', () => {
  it('finds the rule of a name and one of its keys, and no other', () => {
    deepEqual(ruleOfRawKey('Listener', 'listener-1-second', entityRules), entityRules[0]);
    deepEqual(ruleOfRawKey('listener', 'sender-1', entityRules), undefined);
    deepEqual(ruleOfRawKey('nobody', 'listener-1', entityRules), undefined);
  });
});
