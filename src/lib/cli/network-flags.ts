/** The flags about the way to the relay, and the options of the tunnel that they become. */
import { custom, string } from '@oclif/core/flags';
import { HcmError } from '../../protocol/errors.ts';
import type { KeepAliveMode, TunnelOptions } from '../../tunnel/options.ts';
import { parseProxy, proxyFromEnvironment, withPassword } from '../../tunnel/proxy.ts';
import { parseDuration } from './durations.ts';
import { readInputFile, readSecretFile } from './input-file.ts';
import { readLoopbackCa } from './loopback-ca.ts';
import type { Output } from './output.ts';

export const duration = custom<number>({
  helpValue: 'DURATION',
  parse: (text) => Promise.resolve().then(() => parseDuration(text)),
});

const GROUP = 'NETWORK';

export const networkFlags = {
  proxy: string({
    description:
      'http://[USER@]HOST:PORT or socks5://…; "off" for none. Default: HTTPS_PROXY, ALL_PROXY, NO_PROXY.',
    helpGroup: GROUP,
    helpValue: 'URL',
    env: 'HCM_PROXY',
  }),
  'proxy-password-file': string({
    description: 'File with the password for the proxy; else HCM_PROXY_PASSWORD.',
    helpGroup: GROUP,
    helpValue: 'FILE',
  }),
  'ca-file': string({
    description: 'Private CAs (PEM) to trust beside the public ones.',
    helpGroup: GROUP,
    helpValue: 'FILE',
    env: 'HCM_CA_FILE',
  }),
  keepalive: string({
    description: 'Pings find a dead peer; pongs only keep the path open.',
    helpGroup: GROUP,
    options: ['ping', 'pong', 'off'],
    default: 'ping',
  }),
  'idle-timeout': duration({
    description: 'Cut a stream that is silent for so long. Default: never.',
    helpGroup: GROUP,
  }),
  'connect-timeout': duration({
    description: 'Limit for TCP, proxy and TLS together. Default: 10s.',
    helpGroup: GROUP,
  }),
};

export interface NetworkFlags {
  proxy?: string | undefined;
  'proxy-password-file'?: string | undefined;
  'ca-file'?: string | undefined;
  keepalive: string;
  'idle-timeout'?: number | undefined;
  'connect-timeout'?: number | undefined;
}

/** @throws HcmError HCM_PROXY_INVALID, HCM_FILE_UNREADABLE. */
export async function networkOptions(flags: NetworkFlags, output: Output): Promise<TunnelOptions> {
  const [proxyFor, ca] = await Promise.all([
    proxyChoice(flags, output),
    flags['ca-file'] === undefined ? undefined : readCas(flags['ca-file']),
  ]);
  return {
    keepAlive: flags.keepalive as KeepAliveMode,
    proxyFor,
    idleTimeoutMs: flags['idle-timeout'],
    connectTimeoutMs: flags['connect-timeout'],
    ...(ca === undefined ? {} : { ca }),
    loopbackCa: () => readLoopbackCa(process.env),
  };
}

async function proxyChoice(
  flags: NetworkFlags,
  output: Output,
): Promise<NonNullable<TunnelOptions['proxyFor']>> {
  if (flags.proxy === 'off') return () => undefined;
  const file = flags['proxy-password-file'];
  const password =
    file === undefined ? process.env['HCM_PROXY_PASSWORD'] : firstLine(await readSecretFile(file, output));
  if (flags.proxy === undefined) return (host, port) => proxyFromEnvironment(host, port, password);
  const proxy = withPassword(parseProxy(flags.proxy), password);
  return () => proxy;
}

async function readCas(path: string): Promise<string[]> {
  const text = await readInputFile(path);
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (certificates === null) {
    throw new HcmError('HCM_FILE_UNREADABLE', `The file ${path} holds no certificate in PEM form.`, {
      details: { path, next: `openssl x509 -in ${path} -out ca.pem` },
    });
  }
  return certificates;
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? '';
}
