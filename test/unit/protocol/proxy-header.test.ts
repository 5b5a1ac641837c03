import assert from 'node:assert/strict';
import { proxyHeader } from '../../../src/protocol/proxy-header.ts';

/** HAProxy's proxy-protocol.txt 2.2, written down by hand: signature; version and command. */
const START = '0d0a0d0a 000d0a51 5549540a 21';

function hex(...parts: string[]): string {
  return parts.join('').replaceAll(' ', '');
}

describe('proxyHeader', () => {
  const web = { address: '192.168.0.11', port: 443 };
  const client = { address: '203.0.113.7', port: 56_324 };

  it('writes TCP over IPv4: source, destination, their ports', () => {
    const written = proxyHeader({ source: client, destination: web });
    assert.equal(written.toString('hex'), hex(START, '11 000c', 'cb007107', 'c0a8000b', 'dc04', '01bb'));
  });

  it('writes TCP over IPv6', () => {
    const written = proxyHeader({
      source: { address: '2001:db8::7', port: 1 },
      destination: { address: 'fd00:0:0:1::ab', port: 65_535 },
    });
    assert.equal(
      written.toString('hex'),
      hex(
        START,
        '21 0024',
        '20010db8 00000000 00000000 00000007',
        'fd000000 00000001 00000000 000000ab',
        '0001',
        'ffff',
      ),
    );
  });

  it('writes two families as IPv6, the IPv4 address mapped', () => {
    const six = { address: '2001:db8::7', port: 1 };
    const mapped = '00000000 00000000 0000ffff';
    const six16 = '20010db8 00000000 00000000 00000007';
    assert.equal(
      proxyHeader({ source: client, destination: six }).toString('hex'),
      hex(START, '21 0024', `${mapped} cb007107`, six16, 'dc04', '0001'),
    );
    assert.equal(
      proxyHeader({ source: six, destination: web }).toString('hex'),
      hex(START, '21 0024', six16, `${mapped} c0a8000b`, '0001', '01bb'),
    );
  });

  it('writes a mapped address as the IPv4 address that it is, and knows brackets and zones', () => {
    const expected = proxyHeader({ source: client, destination: web });
    for (const address of ['::ffff:203.0.113.7', '::FFFF:cb00:7107', '[::ffff:203.0.113.7]'])
      assert.deepEqual(proxyHeader({ source: { ...client, address }, destination: web }), expected, address);
    const zoned = proxyHeader({ source: { address: 'fe80::1%eth0', port: 2 }, destination: undefined });
    assert.equal(
      zoned.toString('hex'),
      hex(START, '21 0024', 'fe800000 00000000 00000000 00000001', '00'.repeat(16), '0002', '0000'),
    );
  });

  it('writes zeros for the destination of a Unix socket, in the family of the source', () => {
    const written = proxyHeader({ source: client, destination: undefined });
    assert.equal(written.toString('hex'), hex(START, '11 000c', 'cb007107', '00000000', 'dc04', '0000'));
  });

  it('claims nothing about a client that is not known: unspecified, but not the proxy itself', () => {
    const expected = hex(START, '00 0000');
    assert.equal(proxyHeader({ source: undefined, destination: web }).toString('hex'), expected);
    for (const address of ['', 'relay.example', '203.0.113', '203.0.113.7, 10.0.0.1'])
      assert.equal(
        proxyHeader({ source: { address, port: 1 }, destination: web }).toString('hex'),
        expected,
        address,
      );
    for (const port of [-1, 65_536, 1.5, NaN])
      assert.equal(
        proxyHeader({ source: { ...client, port }, destination: web }).toString('hex'),
        expected,
        String(port),
      );
  });

  it('adds the id of the stream as PP2_TYPE_UNIQUE_ID, also where nothing else is known', () => {
    const id = 'ab-1';
    assert.equal(
      proxyHeader({ source: client, destination: web, id }).toString('hex'),
      hex(START, '11 0013', 'cb007107', 'c0a8000b', 'dc04', '01bb', '05 0004 61622d31'),
    );
    assert.equal(
      proxyHeader({ source: undefined, destination: undefined, id }).toString('hex'),
      hex(START, '00 0007', '05 0004 61622d31'),
    );
  });

  it('takes 128 bytes of an id, and leaves out what is longer or empty', () => {
    const withId = (id: string) => proxyHeader({ source: undefined, destination: undefined, id });
    assert.equal(withId('é'.repeat(64)).toString('hex'), hex(START, '00 0083', '05 0080', 'c3a9'.repeat(64)));
    assert.equal(withId('x'.repeat(129)).toString('hex'), hex(START, '00 0000'));
    assert.equal(withId('').toString('hex'), hex(START, '00 0000'));
  });
});
