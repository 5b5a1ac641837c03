// Variables in hcm.yaml: which texts are some, defaults, escapes, and that what is escaped comes back.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { escapeVariables, expandVariables } from '../../../../../src/lib/config/hcm-yaml/variables.ts';

const env = { HOST: 'db.corp.local', EMPTY: '', TRICK: '${HOST}$$' };

describe('variables of hcm.yaml', () => {
  it('are filled in anywhere in a text', () => {
    assert.deepEqual(expandVariables('${HOST}:1433 and ${HOST}', env), {
      text: 'db.corp.local:1433 and db.corp.local',
      filledIn: true,
      missing: [],
      malformed: [],
    });
  });

  it('take their default when they are missing or empty', () => {
    assert.equal(
      expandVariables('${NONE:-a:b}/${EMPTY:-x}/${HOST:-y}/${NONE:-}', env).text,
      'a:b/x/db.corp.local/',
    );
  });

  it('are missing when they are not set or empty, and have no default', () => {
    assert.deepEqual(expandVariables('${NONE} ${EMPTY} ${HOST}', env).missing, ['NONE', 'EMPTY']);
  });

  it('are not looked for in values', () => {
    assert.equal(expandVariables('${TRICK}', env).text, '${HOST}$$');
  });

  it('need braces: a $ before anything else is a $, and $$ is one, too', () => {
    assert.equal(expandVariables('$HOST $5 a$ $${HOST} $$$$', env).text, '$HOST $5 a$ ${HOST} $$');
    assert.equal(expandVariables('$$', env).filledIn, false);
  });

  for (const text of ['${a-b}', '${}', '${HOST', '${1X}', '${HOST:=x}', '${ HOST }']) {
    it(`reports ${text}`, () => assert.deepEqual(expandVariables(text, env).malformed, [text]));
  }

  it('come back as they were after escaping', () => {
    const text = fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':', '-', ' ') });
    fc.assert(fc.property(text, (one) => expandVariables(escapeVariables(one), { A: 'no' }).text === one));
  });
});
