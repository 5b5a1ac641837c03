/** Pages of ARM's lists. */
import { deepEqual, equal } from 'node:assert/strict';
import { pageOf } from '../../../../src/emulator/arm/paging.ts';

const page = (query: string, pageSize?: number) => {
  const answer = { status: 200, body: { value: [1, 2, 3, 4, 5], count: 5 } };
  const { value, nextLink } = pageOf(answer, new URL(`https://x/list?api-version=1${query}`), pageSize)
    .body as {
    value: number[];
    nextLink?: string;
  };
  return [value, nextLink === undefined ? undefined : new URL(nextLink).searchParams.get('$skip')];
};

describe('pages of a list', () => {
  it('are one, unless they are asked for', () => {
    deepEqual(page(''), [[1, 2, 3, 4, 5], undefined]);
    deepEqual(page('&$top=9'), [[1, 2, 3, 4, 5], undefined]);
    deepEqual(page('&$top=nonsense'), [[1, 2, 3, 4, 5], undefined]);
  });

  it('have as many items as the smaller of both sizes says, and lead on', () => {
    deepEqual(page('&$top=2'), [[1, 2], '2']);
    deepEqual(page('&$top=4', 3), [[1, 2, 3], '3']);
    deepEqual(page('&$top=2&$skip=2'), [[3, 4], '4']);
    deepEqual(page('&$top=2&$skip=4'), [[5], undefined]);
    deepEqual(page('&$skip=9'), [[], undefined]);
  });

  it('are of lists alone, and only of those that were answered', () => {
    const url = new URL('https://x/one?$top=1');
    const one = { status: 200, body: { name: 'one' } };
    equal(pageOf(one, url, 1), one);
    const refused = { status: 404, body: { value: [1, 2] } };
    equal(pageOf(refused, url, 1), refused);
  });
});
