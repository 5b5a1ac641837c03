/** Bytes that two readers could understand in two ways: none of them may reach a listener as a request. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { turns } from '../helpers/until.ts';
import { openListener, openRendezvous, readAnswer, writeRequest } from './http-clients.ts';
import { closeRawClientsAfterEach, RawClient } from './raw-client.ts';
import { useRelay } from './relay-under-test.ts';
import { closeClientsAfterEach, goodToken } from './ws-clients.ts';

const HOST = 'Host: localhost';
/** A request that must never be seen. */
const HIDDEN = 'GET /Hyco/One/hidden HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** By name: the lines below the request line (without the token), and what follows the head. */
const AMBIGUOUS: Readonly<Record<string, { lines: string[]; rest?: string }>> = {
  'a length and chunks': {
    lines: [HOST, 'Content-Length: 6', 'Transfer-Encoding: chunked'],
    rest: `0\r\n\r\n${HIDDEN}`,
  },
  'chunks and a length': {
    lines: [HOST, 'Transfer-Encoding: chunked', 'Content-Length: 6'],
    rest: `0\r\n\r\n${HIDDEN}`,
  },
  'two lengths': { lines: [HOST, 'Content-Length: 1', 'Content-Length: 5'], rest: `x${HIDDEN}` },
  'the same length twice': { lines: [HOST, 'Content-Length: 1', 'Content-Length: 1'], rest: 'x' },
  'two lengths in one line': { lines: [HOST, 'Content-Length: 1, 5'], rest: `x${HIDDEN}` },
  'a length with a sign': { lines: [HOST, 'Content-Length: +1'], rest: 'x' },
  'a negative length': { lines: [HOST, 'Content-Length: -1'] },
  'a length in hexadecimal': { lines: [HOST, 'Content-Length: 0x1'], rest: 'x' },
  'a length beyond all numbers': { lines: [HOST, 'Content-Length: 99999999999999999999999'] },
  'an encoding that is not chunked': { lines: [HOST, 'Transfer-Encoding: identity'], rest: HIDDEN },
  'an encoding like chunked': { lines: [HOST, 'Transfer-Encoding: xchunked'], rest: `0\r\n\r\n${HIDDEN}` },
  'chunked twice': { lines: [HOST, 'Transfer-Encoding: chunked, chunked'], rest: `0\r\n\r\n${HIDDEN}` },
  'chunked before another encoding': { lines: [HOST, 'Transfer-Encoding: chunked, gzip'], rest: HIDDEN },
  'chunked in quotes': { lines: [HOST, 'Transfer-Encoding: "chunked"'], rest: `0\r\n\r\n${HIDDEN}` },
  'a folded line': { lines: [HOST, 'X-A: 1', ' folded'] },
  'a folded encoding': { lines: [HOST, 'Transfer-Encoding:', ' chunked'], rest: `0\r\n\r\n${HIDDEN}` },
  'a space before a colon': { lines: [HOST, 'Content-Length : 5'], rest: HIDDEN },
  'a space before the first header': { lines: [` ${HOST}`, HOST] },
  'two hosts': { lines: [HOST, 'Host: other'] },
  'the same host twice': { lines: [HOST, 'host: localhost'] },
  'two hosts in one line': { lines: ['Host: localhost, other'] },
  'a host with a path': { lines: ['Host: localhost/Hyco'] },
  'a host with a user': { lines: ['Host: a@localhost'] },
  'no host': { lines: [] },
  'a line feed in a header': { lines: [HOST, 'X-A: 1\nX-B: 2'] },
  'a line feed at the end of a header': {
    lines: [HOST, 'X-A: 1\nTransfer-Encoding: chunked'],
    rest: '0\r\n\r\n',
  },
  'a carriage return in a header': { lines: [HOST, 'X-A: 1\rX-B: 2'] },
  'a NUL in a header': { lines: [HOST, 'X-A: 1\0'] },
  'an escape in a header': { lines: [HOST, 'X-A: 1\u001b[31m'] },
  'a header without a name': { lines: [HOST, ': 1'] },
  'a header without a colon': { lines: [HOST, 'X-A'] },
  'brackets in a name': { lines: [HOST, 'X[A]: 1'] },
};

describe('a relay, to HTTP with two meanings', () => {
  const relay = useRelay();
  closeClientsAfterEach();
  closeRawClientsAfterEach();

  const authorization = () => `ServiceBusAuthorization: ${goodToken(relay(), 'connect')}`;
  const bytesOf = (lines: readonly string[], rest = '', version = '1.1') => {
    const head = [`POST /Hyco/One HTTP/${version}`, ...lines, authorization()].join('\r\n');
    return Buffer.from(`${head}\r\n\r\n${rest}`, 'latin1');
  };
  /** A connection that has had its first request, and one that has not: their heads are read by different code. */
  const connections = {
    first: () => RawClient.connect(relay()),
    second: async () => {
      const client = await RawClient.connect(relay());
      writeRequest(client, relay(), { token: null });
      equal((await readAnswer(client)).status, 401);
      return client;
    },
  };

  for (const [which, connect] of Object.entries(connections)) {
    for (const [what, { lines, rest }] of Object.entries(AMBIGUOUS)) {
      it(`refuses ${what} as the ${which} request`, async () => {
        const listener = await openListener(relay());
        const client = await connect();
        client.socket.write(bytesOf(lines, rest));
        equal((await client.answer()).status, 400);
        await client.end();
        await turns(3);
        equal(listener.messages.length, 0);
      });
    }

    it(`refuses chunks in HTTP/1.0 as the ${which} request`, async () => {
      const listener = await openListener(relay());
      const client = await connect();
      client.socket.write(bytesOf([HOST, 'Transfer-Encoding: chunked'], `0\r\n\r\n${HIDDEN}`, '1.0'));
      equal((await client.answer()).status, 400);
      await client.end();
      equal(listener.messages.length, 0);
    });

    for (const line of [
      'POST /Hyco/One HTTP/1.1 x',
      'POST /Hyco/One HTTP/3.0',
      'POST /Hyco/One HTTP/2.0',
      'POST /Hyco/One',
    ]) {
      it(`refuses the line "${line}" as the ${which} request`, async () => {
        const listener = await openListener(relay());
        const client = await connect();
        client.socket.write(`${line}\r\n${HOST}\r\n${authorization()}\r\n\r\n`);
        equal((await client.answer()).status, 400);
        await client.end();
        equal(listener.messages.length, 0);
      });
    }

    it(`refuses CONNECT as the ${which} request`, async () => {
      const listener = await openListener(relay());
      const client = await connect();
      client.socket.write(`CONNECT localhost:443 HTTP/1.1\r\n${HOST}\r\n${authorization()}\r\n\r\n`);
      const { status, headers } = await client.answer();
      deepEqual([status, headers.has('via')], [405, false]);
      await client.end();
      equal(listener.messages.length, 0);
    });

    it(`takes names with underscores for what they are as the ${which} request`, async () => {
      const listener = await openListener(relay());
      const client = await connect();
      client.socket.write(
        bytesOf([HOST, 'Content_Length: 5', 'Transfer_Encoding: chunked', 'Content-Length: 2'], 'ok'),
      );
      const { requestHeaders } = await listener.request();
      equal((await listener.binary()).toString(), 'ok');
      deepEqual(requestHeaders, {
        ...{ Host: 'localhost', Content_Length: '5', Transfer_Encoding: 'chunked', Via: '1.1 localhost' },
      });
    });

    for (const body of [
      'x\r\nhello\r\n0\r\n\r\n',
      '-1\r\nhello\r\n',
      '5\r\nhelloX\r\n0\r\n\r\n',
      '5\nhello\r\n0\r\n\r\n',
    ]) {
      it(`cuts off the ${which} request with the chunks ${JSON.stringify(body)}`, async () => {
        const listener = await openListener(relay());
        const client = await connect();
        client.socket.write(bytesOf([HOST, 'Transfer-Encoding: chunked']));
        const { address } = await listener.request();
        const rendezvous = await openRendezvous(relay(), address);
        await rendezvous.request();
        client.socket.write(body + HIDDEN);
        await client.end();
        equal((await rendezvous.closed()).code, 1001);
        ok(rendezvous.messages.every(({ isBinary }) => isBinary));
        deepEqual([rendezvous.messages.length, listener.messages.length], [0, 0], 'no body was completed');
      });
    }
  }

  it('takes an offer of another HTTP for a request', async () => {
    const listener = await openListener(relay());
    const client = await RawClient.connect(relay());
    client.socket.write(
      bytesOf([HOST, 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk']),
    );
    const { requestHeaders } = await listener.request();
    equal('Upgrade' in requestHeaders, false);
  });
});
