/** The programmatic door of hcm: tunnels and the local relay, with their types and errors. */
export { createEmulator, type Emulator, type EmulatorOptions } from './emulator/create-emulator.ts';
export { allows, parseAllowRule, type AllowRule } from './protocol/allow-list.ts';
export {
  formatConnectionString,
  parseConnectionString,
  resolveConnection,
  type ConnectionString,
} from './protocol/connection-string.ts';
export { ERROR_CODES, HcmError, type ErrorCode, type ErrorDetails } from './protocol/errors.ts';
export { formatTargetAddress, parseTargetAddress, type TargetAddress } from './protocol/target-address.ts';
export {
  formatTarget,
  parseBind,
  parseTarget,
  type Bind,
  type StreamBind,
  type Target,
} from './protocol/target.ts';
export {
  startDatagramPort,
  type DatagramBind,
  type DatagramPortOptions,
} from './tunnel/azbridge/datagram-port.ts';
export {
  connectLogicalPort,
  openLogicalPort,
  type LogicalPortOptions,
  type OpenLogicalPort,
} from './tunnel/azbridge/logical-port.ts';
export { systemClock, type Clock } from './tunnel/clock.ts';
export type { TunnelEvent, TunnelEventHandler } from './tunnel/events.ts';
export { httpTarget, type HttpTarget, type HttpTargetOptions } from './tunnel/http/http-target.ts';
export type { RelayedRequest } from './tunnel/http/relayed-request.ts';
export type { RelayedResponse } from './tunnel/http/relayed-response.ts';
export type { RequestHandler } from './tunnel/http/request-server.ts';
export { HybridConnectionListener } from './tunnel/listener.ts';
export { startLocalPort, type LocalPort, type LocalPortOptions, type OpenHook } from './tunnel/local-port.ts';
export type {
  Connection,
  KeepAliveMode,
  ListenerOptions,
  NetworkOptions,
  Proxy,
  SenderOptions,
  TunnelOptions,
} from './tunnel/options.ts';
export { parseProxy, proxyFromEnvironment } from './tunnel/proxy.ts';
export { Sender, connect, type OpenStream } from './tunnel/sender.ts';
export type { ListenerState } from './tunnel/state.ts';
export { readySasToken, sasKeyTokens, type Token, type TokenProvider } from './tunnel/token-provider.ts';
