/** One throw-away certificate for all TLS legs of the peers: EC P-256 like the emulator's, its own authority. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { scratchDir } from './places.ts';

export interface CertificateFiles {
  certFile: string;
  keyFile: string;
  /** Certificate and key in one file, as haproxy wants it. */
  bothFile: string;
}

let made: Promise<CertificateFiles> | undefined;

/** The files, for `localhost` and 127.0.0.1, made once a run; rejects when there is no `openssl` to make them. */
export function certificateFiles(): Promise<CertificateFiles> {
  return (made ??= make());
}

async function make(): Promise<CertificateFiles> {
  const dir = scratchDir('certificate');
  const [certFile, keyFile, bothFile] = [join(dir, 'cert.pem'), join(dir, 'key.pem'), join(dir, 'both.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const files = ['-keyout', keyFile, '-out', certFile];
  await promisify(execFile)('openssl', ['req', '-x509', ...curve, ...names, ...files, '-days', '2']);
  writeFileSync(bothFile, readFileSync(certFile, 'utf8') + readFileSync(keyFile, 'utf8'), { mode: 0o600 });
  return { certFile, keyFile, bothFile };
}
