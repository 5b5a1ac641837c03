import assert from 'node:assert/strict';
import { HcmError } from '../../../src/protocol/errors.ts';
import {
  checkResourceName,
  connectionNameFault,
  locationFault,
  namespaceNameFault,
  resourceGroupFault,
  ruleNameFault,
} from '../../../src/protocol/resource-names.ts';

const CASES: [check: (name: string) => string | undefined, good: string[], bad: string[]][] = [
  [
    namespaceNameFault,
    ['abcdef', 'My-Relay-1', 'a'.repeat(50)],
    ['', 'abcde', 'a'.repeat(51), '1abcdef', 'abcdef-', '-abcdef', 'my_relay', 'my.relay', 'my relay'],
  ],
  [
    connectionNameFault,
    ['a', 'a/b', 'a.b-c_d', 'a'.repeat(260)],
    ['', 'a'.repeat(261), '/a', 'a/', 'a//b', '.a', 'a-', '_a', 'a b', 'a/../b'],
  ],
  [
    ruleNameFault,
    ['defaultSender', 'a.b-c_d', 'a'.repeat(50)],
    ['', 'a'.repeat(51), '-a', 'a.', 'a/b', 'a b'],
  ],
  [
    resourceGroupFault,
    ['g', 'my_group(1)', '-g', 'grüße', 'a'.repeat(90)],
    ['', 'a'.repeat(91), 'group.', 'a/b', 'a b'],
  ],
  [locationFault, ['westeurope', 'West Europe', 'westus2'], ['', 'west/europe', '2west', 'west-europe']],
];

describe('names of resources', () => {
  for (const [check, good, bad] of CASES) {
    it(`${check.name}: what Azure takes, and what it refuses`, () => {
      assert.deepEqual(
        good.filter((name) => check(name) !== undefined),
        [],
      );
      assert.deepEqual(
        bad.filter((name) => check(name) === undefined),
        [],
      );
    });
  }

  it('an error quotes the name without what a terminal would act on, and says the rule', () => {
    assert.equal(checkResourceName('namespace', 'my-relay'), 'my-relay');
    assert.throws(
      () => checkResourceName('namespace', 'a\u001b[31mb'),
      (error: HcmError) => {
        assert.equal(error.code, 'HCM_NAME_INVALID');
        assert.match(error.message, /^"a \[31mb" cannot name a namespace: only letters/);
        assert.match(String(error.details['next']), /6 to 50 letters/);
        return error instanceof HcmError;
      },
    );
  });
});
