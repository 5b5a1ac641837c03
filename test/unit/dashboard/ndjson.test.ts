import assert from 'node:assert/strict';
import { LineSplitter } from '../../../dashboard/src/model/ndjson.ts';

describe('the lines of a stream, in the page', () => {
  it('come whole, wherever the chunks were cut', () => {
    const text = '{"a":1}\n{"b":"x\\ny"}\n';
    for (let cut = 0; cut <= text.length; cut += 1) {
      const lines = new LineSplitter();
      const got = [...lines.push(text.slice(0, cut)), ...lines.push(text.slice(cut))];
      assert.deepEqual(got, [{ a: 1 }, { b: 'x\ny' }], `cut at ${cut}`);
    }
  });

  it('wait for their end', () => {
    const lines = new LineSplitter();
    assert.deepEqual(lines.push('{"a":'), []);
    assert.deepEqual(lines.push('1}'), []);
    assert.deepEqual(lines.push('\n'), [{ a: 1 }]);
  });

  it('leave out what is no JSON, and lose nothing else', () => {
    assert.deepEqual(new LineSplitter().push('oops\n\n{"a":1}\n'), [{ a: 1 }]);
  });
});
