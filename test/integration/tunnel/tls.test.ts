import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import tls from 'node:tls';
import { createCa } from '../../../src/emulator/ca.ts';
import { systemClock } from '../../../src/tunnel/clock.ts';
import { RelayDialer } from '../../../src/tunnel/relay-dialer.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { destroySockets } from '../../helpers/socket-pair.ts';
import { makeCertificate, tlsCertificate } from '../../helpers/tls-certificate.ts';
import { TunnelBed, readAll, tcpClient } from '../../helpers/tunnel-bed.ts';
import { rejectsWith } from '../../helpers/tunnel.ts';
import { until } from '../../helpers/until.ts';

/** Far more than a session's ticket takes to arrive. */
const MOST_CONNECTIONS = 10;

describe('TLS to the relay', () => {
  expectNothingLeft();

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`works with a relay that knows ${version} only`, async () => {
      const bed = await TunnelBed.start({ minTlsVersion: version, maxTlsVersion: version });
      const target = await bed.target((socket) => void socket.end(version));
      await bed.onlineListener({ target });
      const client = await tcpClient(await bed.localPort());
      assert.equal((await readAll(client)).toString(), version);
      client.destroy();
      await bed.stop();
    });
  }

  it('trusts an emulator whose CA was not there yet when the sender was made', async () => {
    const bed = await TunnelBed.start();
    const file: { pem?: string } = {};
    const sender = bed.sender({ loopbackCa: () => file.pem });
    await rejectsWith(sender.open(), 'HCM_TLS_UNTRUSTED');
    file.pem = bed.emulator.caPem;
    await rejectsWith(sender.open(), 'HCM_NO_LISTENER');
    await bed.stop();
  });

  it('takes no certificate of another authority, even one of the same name', async () => {
    const bed = await TunnelBed.start();
    const error = await rejectsWith(
      bed.sender({ loopbackCa: (await createCa()).certPem }).open(),
      'HCM_TLS_UNTRUSTED',
    );
    assert.equal(error.retryable, false);
    await rejectsWith(bed.sender({ loopbackCa: undefined }).open(), 'HCM_TLS_UNTRUSTED');
    await bed.stop();
  });

  it('takes no certificate for another name', async () => {
    const { ca, cert, key } = await tlsCertificate();
    const server = await listening(tls.createServer({ cert, key }));
    const dialer = new RelayDialer({ loopbackCa: ca }, systemClock);
    const error = await rejectsWith(dialer.dial('other.localhost', server.port), 'HCM_TLS_UNTRUSTED');
    assert.match(error.message, /other\.localhost/);
    await server.stop();
  });

  it('tells a peer that speaks no TLS, or an old one only', async () => {
    const plain = await listening(
      createServer((socket) => socket.on('error', () => undefined).end('SSH-2.0\r\n')),
    );
    const dialer = new RelayDialer({}, systemClock);
    await rejectsWith(dialer.dial('127.0.0.1', plain.port), 'HCM_TLS_FAILED');
    await plain.stop();
    const { cert, key } = await tlsCertificate();
    const options = {
      cert,
      key,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL@SECLEVEL=0',
    } as const;
    const old = await listening(tls.createServer(options));
    await rejectsWith(dialer.dial('127.0.0.1', old.port), 'HCM_TLS_FAILED');
    await old.stop();
  });

  it('gives up a peer that accepts and says nothing, and leaves no socket', async () => {
    const silent = await listening(createServer((socket) => void socket.resume()));
    const dialer = new RelayDialer({ connectTimeoutMs: 50 }, systemClock);
    await rejectsWith(dialer.dial('127.0.0.1', silent.port), 'HCM_CONNECT_TIMEOUT');
    await silent.stop();
  });

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`resumes the verified session of ${maxVersion} with the next connection`, async () => {
      const { ca, cert, key } = await tlsCertificate();
      const reused: boolean[] = [];
      const server = tls.createServer({ cert, key, maxVersion }, (socket) => {
        reused.push(socket.isSessionReused());
        socket
          .on('error', () => undefined)
          .resume()
          .write('x');
      });
      const { port, stop } = await listening(server);
      const dialer = new RelayDialer({ loopbackCa: ca }, systemClock);
      // A ticket comes behind the handshake, when it comes: so a connection or two may miss it.
      for (let times = 1; times <= MOST_CONNECTIONS && !reused.includes(true); times += 1) {
        const socket = await dialer.dial('localhost', port);
        assert.ok(socket instanceof tls.TLSSocket && socket.authorized, 'verified');
        await once(socket, 'data');
        await until(() => reused.length === times);
        await destroySockets(socket);
      }
      assert.equal(reused[0], false);
      assert.ok(reused.includes(true), `resumed: ${reused.join()}`);
      await stop();
    });
  }

  it('resumes no session with a server that has another certificate since', async () => {
    const { ca, cert, key } = await tlsCertificate();
    const other = await makeCertificate('localhost', '127.0.0.1');
    const greeted = (socket: tls.TLSSocket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .write('x');
    const first = await listening(tls.createServer({ cert, key }, greeted));
    const dialer = new RelayDialer({ loopbackCa: ca }, systemClock);
    const socket = await dialer.dial('localhost', first.port);
    await once(socket, 'data');
    await destroySockets(socket);
    await first.stop();
    const impostor = tls.createServer({ cert: other.cert, key: other.key }, greeted);
    const second = await listening(impostor, first.port);
    await rejectsWith(dialer.dial('localhost', first.port), 'HCM_TLS_UNTRUSTED');
    await second.stop();
  });

  it('trusts a private authority for every host, and the local one for loopback only', async () => {
    const { ca, cert, key } = await tlsCertificate();
    const server = await listening(
      tls.createServer({ cert, key }, (socket) => void socket.on('error', () => undefined)),
    );
    for (const options of [{ ca: [ca] }, { loopbackCa: ca }]) {
      await destroySockets(await new RelayDialer(options, systemClock).dial('127.0.0.1', server.port));
    }
    await server.stop();
  });

  it('tells a refused connection and a name that does not resolve', async () => {
    const dialer = new RelayDialer({}, systemClock);
    await rejectsWith(dialer.dial('127.0.0.1', 1), 'HCM_CONNECT_REFUSED');
    await rejectsWith(dialer.dial('relay.invalid', 443), 'HCM_DNS_FAILED');
  });
});

async function listening(server: Server, at = 0) {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  server.on('tlsClientError', () => undefined);
  server.listen(at, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, stop };
}
