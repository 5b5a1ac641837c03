import assert from 'node:assert/strict';
import { formatFields, formatTable } from '../../../../src/lib/cli/table.ts';

describe('tables', () => {
  const columns = [
    { title: 'NAME', value: ({ name }: { name: string }) => name },
    { title: 'COUNT', value: ({ count }: { count?: number }) => count, align: 'right' as const },
    { title: 'PLACE', value: ({ place }: { place?: string }) => place },
  ];

  it('align their columns, and have no space at the end of a line', () => {
    const rows = [
      { name: 'a', count: 5, place: 'here' },
      { name: 'longer', count: 1000 },
      { name: 'b', place: '' },
    ];
    assert.deepEqual(formatTable(columns, rows), [
      'NAME    COUNT  PLACE',
      'a           5  here',
      'longer   1000  -',
      'b           -  -',
    ]);
  });

  it('views show a list on several lines, and leave out what there is not', () => {
    const fields = [
      ['name', 'x'],
      ['rules', ['a', 'b']],
      ['none', []],
      ['gone', undefined],
      ['n', 0],
    ] as const;
    assert.deepEqual(formatFields(fields), ['name:   x', 'rules:  a', '        b', 'none:   -', 'n:      0']);
  });
});
