import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls, { type SecureVersion } from 'node:tls';
import fc from 'fast-check';
import { withoutCertificate } from '../../../src/tunnel/tls-session.ts';
import { tlsCertificate } from '../../helpers/tls-certificate.ts';

describe('withoutCertificate', () => {
  it('leaves out the element of the certificate, and nothing else', () => {
    assert.equal(
      without('3011 020101 02020304 0401ff a302c0de a10155'),
      hex('300d 020101 02020304 0401ff a10155'),
    );
    assert.equal(without('300a 020101 02020304 a10155'), hex('300a 020101 02020304 a10155'));
  });

  it('reads and writes lengths of every form', () => {
    const value = 'ab'.repeat(0x7f);
    const long = `0481c8${'cd'.repeat(0xc8)}`;
    assert.equal(
      without(`30820156 020101 02020304 ${long} a3817f${value} 0400`),
      hex(`3081d4 020101 02020304 ${long} 0400`),
    );
    const longer = `04820200${'ef'.repeat(0x200)}`;
    assert.equal(
      without(`30820213 020101 02020304 ${longer} a3830000 01ee 0400`),
      hex(`3082020d 020101 02020304 ${longer} 0400`),
    );
  });

  it('leaves a session whole that is older than TLS 1.3, or of another shape', () => {
    for (const whole of [
      '3011 020101 02020303 0401ff a302c0de a10155',
      '3111 020101 02020304 0401ff a302c0de a10155',
      '3080 020101 02020304 0401ff a302c0de a10155 0000',
      '3012 020101 02020304 0401ff a302c0de a10155',
      '3010 020101 02020304 0401ff a302c0de a10155',
      '3011 020101 02020304 0401ff a302c0de a10255',
      '',
    ]) {
      assert.equal(without(whole), hex(whole));
    }
  });

  it('never fails, whatever it is given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const sequence = Buffer.concat([Buffer.from([0x30, bytes.length]), bytes]);
        for (const given of [Buffer.from(bytes), sequence]) {
          assert.ok(withoutCertificate(given).length <= given.length);
        }
      }),
    );
  });

  it('takes the certificate out of a session of TLS 1.3 as OpenSSL writes it', async () => {
    const { session, certificate } = await sessionOf('TLSv1.3');
    const at = session.indexOf(certificate);
    assert.ok(at > 0, 'a session has the certificate');
    // Before it the header of [3], a3 82 and two bytes; that of the whole, 30 82 and two, is made anew.
    const rest = Buffer.concat([session.subarray(4, at - 4), session.subarray(at + certificate.length)]);
    const stripped = withoutCertificate(session);
    assert.ok(stripped.subarray(-rest.length).equals(rest));
    assert.ok(stripped.length - rest.length <= 4);
  });

  it('leaves it in one of TLS 1.2, which Node would not take without', async () => {
    const { session, certificate } = await sessionOf('TLSv1.2');
    assert.ok(withoutCertificate(session).includes(certificate));
  });
});

function without(text: string): string {
  return withoutCertificate(Buffer.from(hex(text), 'hex')).toString('hex');
}

function hex(text: string): string {
  return text.replaceAll(' ', '');
}

/** A session that a client was given by a real server, without what newer Nodes write before it, and the server's certificate in DER. */
async function sessionOf(maxVersion: SecureVersion): Promise<{ session: Buffer; certificate: Buffer }> {
  const { ca, cert, key } = await tlsCertificate();
  const server = tls.createServer({ cert, key, maxVersion }, (socket) => {
    socket.on('error', () => undefined).end('x');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = tls.connect({ host: '127.0.0.1', port, ca }).resume();
  const [session] = (await once(client, 'session')) as [Buffer];
  const certificate = client.getPeerX509Certificate()?.raw ?? assert.fail('no certificate');
  client.destroy();
  server.close();
  await once(server, 'close');
  return { session: session.subarray(session.indexOf(Buffer.from([0x30, 0x82]))), certificate };
}
