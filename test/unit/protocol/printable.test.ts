import assert from 'node:assert/strict';
import { printable } from '../../../src/protocol/printable.ts';

describe('text from elsewhere on a terminal', () => {
  for (const [what, text, shown] of [
    ['clearing the screen', 'a\u001b[2Jb', 'a\ufffd[2Jb'],
    ['renaming the window', '\u001b]0;x\u0007', '\ufffd]0;x\ufffd'],
    ['a C1 control', 'a\u009b2Jb', 'a\ufffd2Jb'],
    ['writing over a line', 'state online\rfailed', 'state online\ufffdfailed'],
    ['taking a character back', 'ab\bc\u007f', 'ab\ufffdc\ufffd'],
    ['turning the writing around', 'db\u202ecod.exe\u2066', 'db\ufffdcod.exe\ufffd'],
    ['a colour', '\u001b[31mred', '\ufffd[31mred'],
  ] as const)
    it(`cannot be ${what}`, () => assert.equal(printable(text), shown));

  it('keeps lines, tabs and all letters', () => {
    const text = 'zwei\r\nZeilen\n\tund 東京 ✓ café';
    assert.equal(printable(text), text);
  });

  it('keeps colours where they are ours, and nothing else', () => {
    const painted = '\u001b[33mWarning:\u001b[39m a';
    assert.equal(printable(`${painted}\u001b[2J`, { colors: true }), `${painted}\ufffd[2J`);
  });
});
