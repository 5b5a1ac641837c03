/**
 * Whatever a listener sends, on its control channel or on a rendezvous: the emulator lives, and the sender gets one
 * complete answer or the loss of its connection, within the two limits.
 */
import { ok } from 'node:assert/strict';
import fc from 'fast-check';
import { readAnswer, sendRequest } from '../../contract/http-clients.ts';
import { closeRawClientsAfterEach, RawClient } from '../../contract/raw-client.ts';
import type { RawFrame } from '../../helpers/frames.ts';
import { turns, until } from '../../helpers/until.ts';
import { useEmulators, type EmulatorUnderTest } from './emulator-under-test.ts';

const LIMIT_MS = 60_000;
/** Stands for the id of the request, which is not known before. */
const ID = 'THE-ID';

const jsonValue = fc.oneof(
  ...[fc.json({ maxDepth: 2 }), fc.nat().map(String), fc.string().map((text) => JSON.stringify(text))],
  fc.constantFrom(`"${ID}"`, '200', '"200"', '204', '100', '999', 'true', 'false', 'null', '{}', '[]'),
);
const fields = ['requestId', 'statusCode', 'statusDescription', 'responseHeaders', 'body'];
const response = fc
  .record({
    requestId: fc.constant(`"${ID}"`),
    statusCode: fc.constantFrom('200', '200', '200', '"404"', '204', '304', '101', '600', '502'),
    statusDescription: fc.oneof(
      fc.constantFrom('null', '"OK"', '"a\\r\\nb: c"'),
      fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
    ),
    responseHeaders: fc
      .dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), { maxKeys: 4 })
      .map((headers) => JSON.stringify({ ...headers, 'X-Evil': 'a\r\nb', 'Content-Length': '3' })),
    body: fc.constantFrom('true', 'true', 'false'),
  })
  .map((values): [string, string][] => Object.entries(values));
const write = (pairs: readonly [string, string][]) =>
  `{"response":{${pairs.map(([name, value]) => `"${name}":${value}`).join()}}}`;
/** A field is replaced, left out or doubled. */
const mutated = fc
  .tuple(response, fc.constantFrom(...fields), fc.constantFrom('replace', 'drop', 'double'), jsonValue)
  .map(([pairs, name, how, value]) => {
    if (how === 'drop') return write(pairs.filter(([field]) => field !== name));
    if (how === 'double') return write([...pairs, [name, value]]);
    return write(pairs.map(([field, old]) => [field, field === name ? value : old]));
  });
/** Some of the text is lost or another text. */
const damaged = fc
  .tuple(mutated, fc.nat(200), fc.nat(5), fc.string({ maxLength: 5 }))
  .map(([text, at, length, put]) => text.slice(0, at) + put + text.slice(at + length));
const text = fc.oneof(
  { weight: 4, arbitrary: response.map(write) },
  { weight: 3, arbitrary: mutated },
  ...[damaged, fc.string(), fc.constant('{"renewToken":{"token":"x"}}'), fc.json()],
);
const frame: fc.Arbitrary<RawFrame> = fc.oneof(
  { weight: 4, arbitrary: text.map((payload) => ({ opcode: 1, payload })) },
  {
    weight: 4,
    arbitrary: fc.uint8Array({ maxLength: 300 }).map((payload) => ({ opcode: 2, payload })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      opcode: fc.constantFrom(0, 1, 2, 3, 8, 9, 10, 15),
      fin: fc.boolean(),
      payload: fc.uint8Array({ maxLength: 100 }),
    }),
  },
);
/** What is right so far, and then anything. */
const begun = fc
  .tuple(
    response.map(write),
    fc.boolean(),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(frame, { maxLength: 3 }),
  )
  .map(([head, fin, body, more]): RawFrame[] => [
    { opcode: 1, payload: head },
    { opcode: 2, fin, payload: body },
    ...more,
  ]);
const frames = fc.oneof(begun, begun, fc.array(frame, { maxLength: 6 }));
const behaviour = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'POST'),
  onControl: frames,
  comes: fc.boolean(),
  onRendezvous: frames,
  /** What the listener does at last. */
  leaves: fc.constantFrom('stays', 'stays', 'stays', 'closes', 'is lost'),
});

describe('the emulator, to listeners that send anything', () => {
  const startEmulator = useEmulators();
  closeRawClientsAfterEach();

  const listen = async ({ relay, tokenFor }: EmulatorUnderTest) => {
    const listener = await RawClient.connect(relay);
    listener.ask(`/$hc/one?sb-hc-action=listen&sb-hc-token=${encodeURIComponent(tokenFor('listen'))}`);
    ok((await listener.answer()).status === 101);
    return listener;
  };
  const withId = (all: readonly RawFrame[], id: string) =>
    all.map((one) =>
      typeof one.payload === 'string' ? { ...one, payload: one.payload.replaceAll(ID, id) } : one,
    );

  it('answers each request or cuts it off', async function () {
    this.timeout(120_000);
    const connections = [{ name: 'one', requiresClientAuthorization: false }];
    const under = await startEmulator({ insecure: true, connections });
    const { relay, clock, emulator } = under;
    const outcomes = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(behaviour, async ({ method, onControl, comes, onRendezvous, leaves }) => {
        const listener = await listen(under);
        const options = { method, token: null, ...(method === 'POST' ? { body: 'x' } : {}) };
        const sender = await sendRequest(relay, options);
        const answer = readAnswer(sender, method).then(
          ({ status }) => String(status),
          () => 'cut',
        );
        let outcome: string | undefined;
        void answer.then((value) => (outcome = value));
        const { request } = JSON.parse((await listener.message()).payload.toString()) as {
          request: { address: string; id: string };
        };
        const sockets = [listener];
        if (comes) {
          const rendezvous = await RawClient.connect(relay);
          const { pathname, search } = new URL(request.address);
          rendezvous.ask(pathname + search);
          await rendezvous.answer();
          rendezvous.send(...withId(onRendezvous, request.id));
          sockets.push(rendezvous);
        }
        if (!listener.ended) listener.send(...withId(onControl, request.id));
        for (const { socket } of leaves === 'closes' ? sockets : []) socket.end();
        for (const { socket } of leaves === 'is lost' ? sockets : []) socket.destroy();
        await until(() => sockets.every(({ socket }) => socket.writableLength === 0), 'the sending');
        for (let limit = 0; limit < 3 && outcome === undefined; limit += 1) {
          await turns(20);
          clock.advance(LIMIT_MS);
        }
        const what = await answer;
        outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
        for (const { socket } of [...sockets, sender]) socket.destroy();
        await until(() => emulator.listenerCount('one') === 0, 'the end of the listener');
      }),
      { numRuns: 300 },
    );
    for (const wanted of ['200', '502', '504', 'cut'])
      ok(outcomes.has(wanted), `${wanted} among ${[...outcomes.keys()].join()}`);
    const listener = await listen(under);
    const sender = await sendRequest(relay, { token: null });
    const { request } = JSON.parse((await listener.message()).payload.toString()) as {
      request: { id: string };
    };
    const whole = { requestId: request.id, statusCode: 200, body: false };
    listener.send({ opcode: 1, payload: JSON.stringify({ response: whole }) });
    ok((await readAnswer(sender)).status === 200, 'it goes on as before');
  });
});
