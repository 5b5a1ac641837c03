/**
 * The package `socks`, for whoever loads this file. It is CommonJS: once bundled, `import('socks')` itself has no names
 * but `default`, which from source is not there; a module of ours that imports it has them in both.
 */
import { SocksClient, type SocksClientOptions } from 'socks';

export function socksClient(options: SocksClientOptions): SocksClient {
  return new SocksClient(options);
}
