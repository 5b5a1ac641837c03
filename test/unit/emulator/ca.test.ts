/** The authority and what it issues: it convinces Node and OpenSSL, for loopback names and for nothing else. */
import { deepEqual, equal, match, notEqual, ok, rejects } from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { loadOrCreateCa } from '../../../src/emulator/ca-file.ts';
import { caFault, createCa, issueServerCertificate } from '../../../src/emulator/ca.ts';
import { issueServer, type GeneralName } from '../../../src/emulator/certificate.ts';
import type { CertifiedKey } from '../../../src/emulator/certified-key.ts';
import { useFolder } from './temporary-folder.ts';

const DAY_MS = 86_400_000;
/** A second opinion, where the machine has one. */
const OPENSSL = 'openssl';
const hasOpenssl = spawnSync(OPENSSL, ['version']).status === 0;

/** A certificate by this authority for names that it may not certify. */
function issueFor(ca: CertifiedKey, names: GeneralName[]) {
  return issueServer(ca, {
    subject: { commonName: 'x', organization: 'x' },
    names,
    ...{ notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) },
  });
}

/** What a Node client says to a server with this certificate: undefined, or the error's code and text. */
async function verdictOfNode(ca: string, server: { certPem: string; keyPem: string }, name: string) {
  const listening = createServer({ cert: server.certPem, key: server.keyPem }).listen(0, '127.0.0.1');
  listening.on('tlsClientError', () => undefined);
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  const isAddress = /^[\d.]+$|:/.test(name);
  const socket = connect({
    port,
    ca,
    ...(isAddress ? { host: '127.0.0.1' } : { host: '127.0.0.1', servername: name }),
  });
  const verdict = await once(socket, 'secureConnect').then(
    () => undefined,
    (error: NodeJS.ErrnoException) => `${error.code}: ${error.message}`,
  );
  socket.destroy();
  listening.close();
  await once(listening, 'close');
  return verdict;
}

describe('the authority of the emulator', () => {
  let ca: CertifiedKey;
  let server: CertifiedKey;

  before(async () => {
    ca = await createCa();
    server = await issueServerCertificate(ca);
  });

  it('is an authority for ten years, and its certificates are valid for less', () => {
    const [authority, issued] = [ca, server].map(({ certPem }) => new X509Certificate(certPem));
    equal(authority?.ca, true);
    equal(issued?.ca, false);
    ok(authority?.verify(authority.publicKey));
    ok(issued?.verify(authority.publicKey));
    ok(issued?.checkIssued(authority));
    const days = (certificate: X509Certificate) =>
      Math.round((Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / DAY_MS);
    deepEqual([days(authority), days(issued)], [3650, 397]);
    ok(Date.parse(issued.validFrom) < Date.now());
  });

  it('is another one each time', async () => {
    const other = await createCa();
    notEqual(other.certPem, ca.certPem);
    notEqual(new X509Certificate(other.certPem).subject, new X509Certificate(ca.certPem).subject);
  });

  it('uses P-256', () => {
    deepEqual(new X509Certificate(ca.certPem).publicKey.asymmetricKeyDetails, { namedCurve: 'prime256v1' });
    deepEqual(new X509Certificate(server.certPem).publicKey.asymmetricKeyDetails, {
      namedCurve: 'prime256v1',
    });
  });

  for (const name of [
    'localhost',
    '127.0.0.1',
    'local-relay.servicebus.localhost',
    'a.servicebus.localhost',
  ]) {
    it(`convinces Node for ${name}`, async () => {
      equal(await verdictOfNode(ca.certPem, server, name), undefined);
    });
  }

  it('does not convince Node for other names, nor those who trust another authority', async () => {
    match(
      (await verdictOfNode(ca.certPem, server, 'ns.servicebus.windows.net')) ?? '',
      /^ERR_TLS_CERT_ALTNAME_INVALID/,
    );
    ok(await verdictOfNode((await createCa()).certPem, server, 'localhost'));
  });

  for (const names of [
    [{ type: 'dns', value: 'ns.servicebus.windows.net' }],
    [
      { type: 'dns', value: 'localhost' },
      { type: 'dns', value: 'evil.example' },
    ],
    [{ type: 'dns', value: 'notlocalhost' }],
    [{ type: 'ip', value: '10.0.0.1' }],
    [{ type: 'ip', value: '::2' }],
  ] satisfies GeneralName[][]) {
    it(`cannot certify ${names.map(({ value }) => value).join(' and ')}`, async () => {
      const name = names[0]?.type === 'dns' ? names[0].value : 'localhost';
      match(
        (await verdictOfNode(ca.certPem, await issueFor(ca, names), name)) ?? '',
        /permitted subtree violation/i,
      );
    });
  }

  it('can certify the whole of 127.0.0.0/8', async () => {
    const issued = await issueFor(ca, [
      { type: 'ip', value: '127.9.9.9' },
      { type: 'dns', value: 'deep.down.localhost' },
    ]);
    equal(await verdictOfNode(ca.certPem, issued, 'deep.down.localhost'), undefined);
  });

  it('stands the strict eyes of OpenSSL, where there is one', async () => {
    if (!hasOpenssl) return;
    const folder = await mkdtemp(join(tmpdir(), 'hcm-ca-'));
    const [caFile, file] = [join(folder, 'ca.pem'), join(folder, 'server.pem')];
    await Promise.all([writeFile(caFile, ca.certPem), writeFile(file, server.certPem)]);
    const verify = (...more: string[]) =>
      execFileSync(OPENSSL, [
        'verify',
        '-x509_strict',
        '-purpose',
        'sslserver',
        '-CAfile',
        caFile,
        ...more,
        file,
      ]);
    match(verify().toString(), /OK/);
    match(verify('-verify_hostname', 'x.servicebus.localhost').toString(), /OK/);
    match(verify('-verify_ip', '::1').toString(), /OK/);
    const text = execFileSync(OPENSSL, ['x509', '-noout', '-text', '-in', caFile]).toString();
    match(text, /Name Constraints: critical/);
    match(text, /Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    match(
      text,
      /Permitted:\s+DNS:localhost\s+DNS:\.localhost\s+IP:127\.0\.0\.0\/255\.0\.0\.0\s+IP:(0:){7}1\/FFFF(:FFFF){7}/i,
    );
    await rm(folder, { recursive: true });
  });

  it('is found unusable when it is', async () => {
    equal(caFault(ca), undefined);
    equal(caFault({ ...ca, keyPem: (await createCa()).keyPem }), 'mismatch');
    equal(caFault(server), 'mismatch');
    equal(caFault({ certPem: '', keyPem: '' }), 'unreadable');
    equal(caFault(ca, Date.now() + 9 * 365 * DAY_MS), 'expired');
  });
});

describe('the authority on disk', () => {
  const folder = useFolder();

  it('is made once', async () => {
    const first = await loadOrCreateCa(folder());
    equal(await readFile(first.caFile, 'utf8'), first.ca.certPem);
    deepEqual(await loadOrCreateCa(folder()), first);
  });

  it('keeps its key to its owner', async () => {
    await loadOrCreateCa(folder());
    if (process.platform === 'win32') return;
    equal((await stat(join(folder(), 'ca-key.pem'))).mode & 0o777, 0o600);
    equal((await stat(folder())).mode & 0o777, 0o700);
  });

  it('is the same for all who come at once', async () => {
    const all = await Promise.all(Array.from({ length: 12 }, () => loadOrCreateCa(folder())));
    equal(new Set(all.map(({ ca }) => ca.certPem)).size, 1);
    deepEqual((await readdir(join(folder(), '..'))).length, 1);
  });

  it('is put aside and replaced when it cannot be used', async () => {
    const first = await loadOrCreateCa(folder());
    await writeFile(join(folder(), 'ca-key.pem'), 'rubbish');
    const second = await loadOrCreateCa(folder());
    notEqual(second.ca.certPem, first.ca.certPem);
    equal(second.replaced?.reason, 'unreadable');
    equal(await readFile(join(second.replaced?.keptAs ?? '', 'ca.pem'), 'utf8'), first.ca.certPem);
    equal((await loadOrCreateCa(folder())).replaced, undefined);
  });

  it('says so when it can be kept nowhere', async () => {
    await mkdir(join(folder(), '..'), { recursive: true });
    await writeFile(folder(), 'a file where the folder should be');
    await rejects(loadOrCreateCa(folder()), (error: { code: string }) =>
      /^HCM_(STATE|FILE)_UN/.test(error.code),
    );
  });
});
