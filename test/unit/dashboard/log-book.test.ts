import assert from 'node:assert/strict';
import { LogBook } from '../../../dashboard/src/state/log-book.ts';

const line = (at: number) => ({ event: `event-${at}`, time: new Date(at).toISOString(), id: 'listen ns/db' });
const namesOf = (book: LogBook) => book.lines.get().map(({ event }) => event);

describe('the log in the page', () => {
  it('is what the manager remembers, and what was told since it was asked, each once', () => {
    const book = new LogBook();
    book.append(line(1));
    const asked = book.newest;
    book.append(line(3));
    book.append(line(4));
    book.replace([1, 2, 3].map(line), asked);
    assert.deepEqual(namesOf(book), ['event-1', 'event-2', 'event-3', 'event-4']);
  });

  it('begins anew with another manager', () => {
    const book = new LogBook();
    book.replace([line(1)], book.newest);
    book.replace([line(9)], book.newest);
    assert.deepEqual(namesOf(book), ['event-9']);
  });
});
