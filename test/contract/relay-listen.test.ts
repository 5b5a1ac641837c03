/** A relay, as a listener sees it: registering, being refused, staying. */
import { deepEqual, equal, match, notEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { closeRawClientsAfterEach, RawClient } from './raw-client.ts';
import { useRelay, type RelayUnderTest } from './relay-under-test.ts';
import { token } from './tokens.ts';
import {
  closeClientsAfterEach,
  goodToken,
  open,
  refusal,
  start,
  TestListener,
  type Answer,
  type OpenOptions,
} from './ws-clients.ts';

const listenerLimit = 25;

describe('a relay, to a listener', () => {
  const relay = useRelay();
  closeClientsAfterEach();
  closeRawClientsAfterEach();

  const refused = (options: OpenOptions): Promise<Answer> => refusal(start(relay(), 'listen', options));
  const admitted = async (options: OpenOptions): Promise<void> => {
    const listener = await TestListener.open(relay(), options);
    await listener.close();
  };
  const audience = (relay: RelayUnderTest) => `http://${relay.host}/${relay.path}/`;

  it('registers it with the 101 and sends no message', async () => {
    const listener = await TestListener.open(relay());
    listener.webSocket.ping();
    await once(listener.webSocket, 'pong');
    deepEqual(listener.texts, []);
  });

  it('answers a Ping with a Pong of the same payload', async () => {
    const listener = await TestListener.open(relay());
    listener.webSocket.ping('are you there');
    const [payload] = (await once(listener.webSocket, 'pong')) as [Buffer];
    equal(payload.toString(), 'are you there');
  });

  it('sends each header of its 101 once, tells its clock and a tracking id, and agrees to no extension', async () => {
    const client = await RawClient.connect(relay());
    const sas = encodeURIComponent(goodToken(relay(), 'listen'));
    const offer = ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'];
    client.ask(`/$hc/${relay().path}?sb-hc-action=listen&sb-hc-id=me&sb-hc-token=${sas}`, offer);
    const { statusLine, headers } = await client.answer();
    match(statusLine, /^HTTP\/1\.1 101 /);
    deepEqual(headers.get('upgrade'), ['websocket']);
    deepEqual(headers.get('connection'), ['Upgrade']);
    deepEqual(headers.get('sec-websocket-accept'), ['s3pPLMBiTxaQ9kYGzzhZRbK+xOo=']);
    deepEqual(headers.get('trackingid'), ['me_G0']);
    equal(headers.has('sec-websocket-extensions'), false);
    const skewMs = Math.abs(Date.parse(headers.get('date')?.[0] ?? '') - Date.now());
    equal(skewMs < 60_000, true, `Date differs by ${skewMs} ms`);
  });

  describe('takes a token', () => {
    it('in the query', () => admitted({ tokenIn: 'query' }));

    it('of the namespace', () => admitted({ token: token(audience(relay()), relay().rootKey) }));

    it('for the whole namespace', () =>
      admitted({ token: token(`http://${relay().host}/`, relay().rootKey) }));

    it('whose rule is spelled in another case', () => {
      const { name, key } = relay().listenKey;
      return admitted({ token: token(audience(relay()), { name: name.toUpperCase(), key }) });
    });

    it('as hyco makes it, with port 443 and without the last slash', () =>
      admitted({ token: token(`http://${relay().host}:443/${relay().path}`, relay().listenKey) }));

    for (const scheme of ['https://', 'sb://', 'wss://', '']) {
      it(`with the scheme ${scheme === '' ? 'left out' : scheme}`, () =>
        admitted({ token: token(`${scheme}${relay().host}/${relay().path}`, relay().listenKey) }));
    }

    it('that is escaped with small letters, as PHP does', () => {
      const escape = (text: string) => encodeURIComponent(text).replace(/%../g, (hex) => hex.toLowerCase());
      return admitted({ token: token(audience(relay()).toLowerCase(), relay().listenKey, { escape }) });
    });

    it('behind the word Bearer', () =>
      admitted({ token: token(audience(relay()), relay().listenKey, { prefix: 'Bearer ' }) }));

    it('from the header rather than from the query', () =>
      admitted({ query: 'sb-hc-token=rubbish', token: goodToken(relay(), 'listen') }));
  });

  describe('refuses with 401 and names the fault', () => {
    const cases: [string, RegExp, (relay: RelayUnderTest) => string | null][] = [
      ['no token', /^MissingToken/, () => null],
      ['something that is no token', /^MalformedToken/, () => 'SharedAccessSignature sr=x'],
      [
        'a signature with another key',
        /invalid signature/,
        (relay) => token(audience(relay), { name: relay.listenKey.name, key: 'wrong' }),
      ],
      [
        'a rule that is not there',
        /invalid signature/,
        (relay) => token(audience(relay), { name: 'nobody', key: relay.listenKey.key }),
      ],
      [
        'another connection',
        /^InvalidAudience: .* wrong audience/,
        (relay) => token(`http://${relay.host}/other/`, relay.rootKey),
      ],
      [
        'another host',
        /^InvalidAudience/,
        (relay) => token(`http://elsewhere.example/${relay.path}/`, relay.listenKey),
      ],
      [
        'a connection whose name only begins the same',
        /^InvalidAudience/,
        (relay) => token(`http://${relay.host}/${relay.path.slice(0, -1)}/`, relay.rootKey),
      ],
      [
        'an expired token',
        /token is expired/,
        (relay) => token(audience(relay), relay.listenKey, { expiresAtMs: Date.now() - 400_000 }),
      ],
    ];
    for (const [what, sentence, make] of cases) {
      it(what, async () => {
        const { status, reason } = await refused({
          token: make(relay()),
          path: `${relay().path}?${what.length}`,
        });
        equal(status, 401);
        match(reason, sentence);
      });
    }
  });

  it('explains each refusal with tracking id, entity and time', async () => {
    const { reason, headers } = await refused({ token: null, id: 'lost-one' });
    const path = relay().path;
    match(reason, /\. TrackingId:lost-one_G0, SystemTracker:sb:\/\//);
    match(reason, new RegExp(`/${path}, Timestamp:\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d$`));
    equal(headers.trackingid, 'lost-one_G0');
    notEqual(headers.date, undefined);
  });

  it('refuses a key that may only send with 403', async () => {
    const { status, reason } = await refused({ token: goodToken(relay(), 'connect') });
    equal(status, 403);
    match(reason, /^Authorization failed for specified action/);
  });

  it('tells that a connection does not exist only to those who may know', async () => {
    const { host, rootKey } = relay();
    const known = await refused({ path: 'nothing', token: token(`http://${host}/`, rootKey) });
    equal(known.status, 404);
    match(known.reason, /^Endpoint does not exist\. TrackingId:.*\/nothing,/);
    const stranger = token(`http://${host}/`, { name: rootKey.name, key: 'wrong' });
    equal((await refused({ path: 'nothing', token: stranger })).status, 401);
  });

  it('takes 25 listeners and refuses the next with 403, until one leaves', async () => {
    const path = relay().longerPath;
    const options = { path, token: token(`http://${relay().host}/`, relay().rootKey) };
    const all = await Promise.all(
      Array.from({ length: listenerLimit }, () => TestListener.open(relay(), options)),
    );
    const { status, reason } = await refused(options);
    equal(status, 403);
    match(reason, /MaximumListenersPerEndpoint/);
    await all[0]?.close();
    await open(start(relay(), 'listen', options));
  });
});
