// The tables of what the relay does to HTTP, each row sent to Microsoft's unmodified hyco-https and to our own listener
// alike: what both see and what both can say must be what Azure's relay was seen to do.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { HcmPath } from './hcm-path.ts';
import {
  ANSWER_HEADERS,
  BODILESS,
  PHRASES,
  QUERIES,
  REQUEST_HEADERS,
  standardPhrase,
  STATUSES,
} from './http/conformance.ts';
import { headerOf, NodeClient, type Answer, type HttpRequest, type HttpServer } from './http/exchange.ts';
import { mapAtOnce } from './http/many.ts';
import { handle, readSeen, type AnswerPlan, type Seen } from './http/mix-handler.ts';
import { startOwnListener } from './http/own-listener.ts';
import { hycoOptions, relayedServer } from './http/relay-http.ts';
import { startHycoHttpsListener } from './servers/hyco.ts';

const NAME = 'conform/one';
const AT_ONCE = 8;
const HANDLER = fileURLToPath(new URL('http/mix-handler.ts', import.meta.url));

const LISTENERS: { name: string; start: (path: HcmPath) => Promise<{ stop(): Promise<void> }> }[] = [
  {
    name: "Microsoft's hyco-https",
    start: (path) => startHycoHttpsListener({ ...hycoOptions(path, NAME, 'listener'), handler: HANDLER }),
  },
  { name: 'our listener', start: (path) => startOwnListener(path, NAME, handle) },
];

for (const { name, start } of LISTENERS) {
  describe(`relayed HTTP as Azure's, with ${name}`, () => {
    const isHyco = name.includes('hyco');
    let path: HcmPath;
    let listener: { stop(): Promise<void> };
    let relay: HttpServer;
    let client: NodeClient;

    before(async () => {
      path = await HcmPath.create();
      await path.startEmulator([NAME]);
      listener = await start(path);
      relay = relayedServer(path, NAME);
      client = new NodeClient(relay);
    });

    after(async () => {
      client.close();
      await listener.stop();
      await path.stop();
    });

    function ask(request: Partial<HttpRequest>, plan: AnswerPlan = {}): Promise<Answer> {
      const headers = { ...request.headers, 'x-answer': JSON.stringify(plan) };
      return client.send({ method: 'GET', path: '', ...request, headers });
    }

    function seenBy(answer: Answer): Seen {
      return readSeen(headerOf(answer, 'x-saw') ?? '');
    }

    it('queries lose what is the relay’s and keep the rest to the letter, inline and by rendezvous', async () => {
      const body = { bytes: 3, framing: 'chunked' as const };
      const seen = await mapAtOnce(QUERIES, AT_ONCE, async ([sent]) => [
        sent,
        seenBy(await ask({ path: sent })).url,
        seenBy(await ask({ path: `/more${sent}`, method: 'POST', body })).url,
      ]);
      const wanted = QUERIES.map(([sent, query]) => [sent, `/${NAME}${query}`, `/${NAME}/more${query}`]);
      assert.deepEqual(seen, wanted);
    });

    it('a token in the query opens the way and is not seen', async () => {
      const { ServiceBusAuthorization: token = '', ...rest } = relay.headers ?? {};
      const bare = new NodeClient({ ...relay, headers: rest });
      const query = `?a=1&sb-hc-token=${encodeURIComponent(token)}&b=2`;
      const answer = await bare.send({ method: 'GET', path: query });
      assert.equal(answer.status, 200);
      assert.equal(seenBy(answer).url, `/${NAME}?a=1&b=2`);
      const refused = await bare.send({ method: 'GET', path: '?a=1' });
      bare.close();
      assert.equal(refused.status, 401);
    });

    it('a token in Authorization opens the way and is not seen, beside another token it is the application’s', async () => {
      const { ServiceBusAuthorization: token = '', ...rest } = relay.headers ?? {};
      const bare = new NodeClient({ ...relay, headers: { ...rest, Authorization: token } });
      const answer = await bare.send({ method: 'GET', path: '' });
      bare.close();
      assert.equal(answer.status, 200);
      assert.equal(seenBy(answer).headers['authorization'], undefined);
      const both = await ask({ headers: { Authorization: 'Basic dXNlcjpwYXNz' } });
      assert.equal(seenBy(both).headers['authorization'], 'Basic dXNlcjpwYXNz');
      assert.equal(seenBy(both).headers['servicebusauthorization'], undefined);
    });

    it('every status from 200 to 599 arrives, with its phrase to the letter', async () => {
      const got = await mapAtOnce(STATUSES, AT_ONCE, async (status) => {
        const answer = await ask({}, { status, reason: `This is ${status}` });
        return `${answer.status} ${answer.phrase}`;
      });
      assert.deepEqual(
        got,
        STATUSES.map((status) => `${status} This is ${status}`),
      );
    });

    it('a status without a phrase gets the standard one', async () => {
      const statuses = STATUSES.filter((status) => standardPhrase(status) !== undefined);
      const got = await mapAtOnce(statuses, AT_ONCE, async (status) => (await ask({}, { status })).phrase);
      // hyco-https has a table of its own, from an older Node
      const other = new Map([
        [418, "I'm a teapot"],
        [425, 'Unordered Collection'],
      ]);
      const wanted = statuses.map((status) => {
        return (isHyco ? other.get(status) : undefined) ?? standardPhrase(status);
      });
      assert.deepEqual(got, wanted);
    });

    it('phrases arrive to the letter', async () => {
      const got = await mapAtOnce(PHRASES, AT_ONCE, async (reason) => (await ask({}, { reason })).phrase);
      assert.deepEqual(got, PHRASES);
    });

    it('request headers of one connection are taken out, all others arrive, several lines joined', async () => {
      const body = { bytes: 3, framing: 'chunked' as const };
      for (const [header, sent, wanted] of REQUEST_HEADERS) {
        const answer = await ask({ method: 'POST', body, headers: { [header]: sent } });
        assert.equal(seenBy(answer).headers[header.toLowerCase()], wanted, `${header} by rendezvous`);
        if (header === 'Trailer') continue; // node:http sends it with chunks only
        const inline = await ask({ headers: { [header]: sent } });
        assert.equal(seenBy(inline).headers[header.toLowerCase()], wanted, `${header} inline`);
      }
    });

    it('neither the length nor the connection of the sender reaches the handler, Host and Via do', async () => {
      for (const bytes of [10, 65_536, 65_537]) {
        for (const framing of ['length', 'chunked'] as const) {
          const { headers } = seenBy(await ask({ method: 'POST', body: { bytes, framing } }));
          // ours says how the body comes: with a length when the relay gave it whole
          const isWhole = framing === 'length' && bytes <= 65_536;
          const [length, coding] = isWhole ? [String(bytes), undefined] : [undefined, 'chunked'];
          assert.equal(headers['content-length'], isHyco ? undefined : length);
          assert.equal(headers['transfer-encoding'], isHyco ? undefined : coding);
          assert.equal(headers['connection'], undefined);
          assert.equal(headers['host'], new URL(relay.origin).host);
          assert.equal(headers['via'], '1.1 localhost');
        }
      }
    });

    it('answer headers of one connection are taken out, all others arrive, and Via is added', async () => {
      for (const [header, set, wanted] of ANSWER_HEADERS) {
        const answer = await ask({}, { headers: { [header]: set }, bytes: 5 });
        assert.equal(answer.bytes, 5);
        const got = headerOf(answer, header.toLowerCase());
        // what comes in its place is of the relay's own connection with the sender
        if (wanted === undefined) assert.notEqual(got, set, header);
        else assert.equal(got, wanted, header);
        if (header !== 'Via') assert.equal(headerOf(answer, 'via'), '1.1 localhost');
      }
    });

    it('answers that have no body have none, and the connection goes on', async () => {
      const one = new NodeClient(relay, { maxSockets: 1 });
      for (const [method, status, bytes] of BODILESS) {
        // hyco-https sends nothing at all, not even the status, when its handler writes what may not be there
        if (isHyco && method !== 'HEAD' && bytes > 0) continue;
        const headers = { 'x-answer': JSON.stringify({ status, bytes } satisfies AnswerPlan) };
        const answer = await one.send({ method, path: '', headers });
        assert.deepEqual(
          [answer.status, answer.bytes, answer.end],
          [status, 0, 'whole'],
          `${method} ${status}`,
        );
        assert.equal(headerOf(answer, 'transfer-encoding'), undefined, `${method} ${status}`);
        const next = await one.send({ method: 'GET', path: '/next' });
        assert.equal(seenBy(next).url, `/${NAME}/next`);
      }
      one.close();
    });

    it('a small answer has a length, a large one comes in chunks', async () => {
      for (const [bytes, isInline] of [
        [0, true],
        [1, true],
        [65_536, true],
        [65_537, false],
        [500_000, false],
      ] as const) {
        const answer = await ask({}, { bytes });
        assert.equal(answer.bytes, bytes);
        assert.equal(headerOf(answer, 'content-length'), isInline ? String(bytes) : undefined);
        assert.equal(headerOf(answer, 'transfer-encoding'), isInline ? undefined : 'chunked');
      }
    });

    it('Expect: 100-continue is answered before the listener has heard of the body', async () => {
      for (const bytes of [10, 100_000]) {
        const body = { bytes, framing: 'length' as const };
        const answer = await ask({ method: 'PUT', body, headers: { Expect: '100-continue' } });
        assert.equal(seenBy(answer).bytes, bytes);
        assert.equal(seenBy(answer).headers['expect'], undefined);
      }
    });

    it('an answer that breaks off is cut for the sender, and the next is whole', async () => {
      const cut = await ask({}, { bytes: 400_000, delivery: 'broken' });
      assert.equal(cut.status, 200);
      assert.equal(cut.end, 'cut');
      assert.equal((await ask({}, { bytes: 400_000 })).end, 'whole');
    });
  });
}

describe('relayed HTTP without a listener', () => {
  it('is answered by the relay itself: JSON, a reason, no Via', async () => {
    const path = await HcmPath.create();
    await path.startEmulator([NAME]);
    const client = new NodeClient(relayedServer(path, NAME));
    try {
      const answer = await client.send({ method: 'GET', path: '/x' });
      assert.equal(answer.status, 404);
      assert.match(answer.phrase, /^There are no listeners connected for the endpoint\. TrackingId:/);
      const { error } = JSON.parse(String(answer.body)) as { error: { code: string; message: string } };
      assert.equal(error.code, 'EndpointNotFound');
      assert.equal(headerOf(answer, 'via'), undefined);
    } finally {
      client.close();
      await path.stop();
    }
  });
});
