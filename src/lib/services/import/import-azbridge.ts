/**
 * The configuration of azbridge as section `manager:` of hcm.yaml. Pure: a text goes in; declarations, secrets and
 * warnings come out. Whoever writes them decides where the secrets go.
 */
import { readDocument } from '../../config/hcm-yaml/document.ts';
import { throwFaults } from '../../config/hcm-yaml/faults.ts';
import type {
  Access,
  ForwardDeclaration,
  ListenerDeclaration,
} from '../../config/hcm-yaml/manager-declaration.ts';
import { HcmError } from '../../../protocol/errors.ts';
import type { TargetAddress } from '../../../protocol/target-address.ts';
import { formatBind, type Bind } from '../../../protocol/target.ts';
import { httpPortNames } from '../../logical-ports.ts';
import { AccessReader, type Relay } from './azbridge-access.ts';
import { ImportNode, type Findings } from './import-node.ts';
import type { Imported, ImportTarget } from './imported.ts';
import { warnOfOptions, warnOfUnknown } from './azbridge-options.ts';
import { readBind, readTarget, type NamedPort } from './azbridge-ports.ts';

export interface ImportOptions extends ImportTarget {
  /** The namespace of a file that names no relay. */
  namespace?: string | undefined;
}

const SHARED_KEYS = ['RelayName', 'ConnectionString', 'Bindings'];
const LOCAL_BINDING_KEYS = [
  ...['BindAddress', 'BindPort', 'PortName', 'BindLocalSocket', 'HostName', 'RemoteHostName'],
  'NoAuthentication',
];
const REMOTE_BINDING_KEYS = ['Host', 'HostPort', 'PortName', 'LocalSocket', 'Http', 'Insecure', 'Path'];

/**
 * Reads azbridge's YAML, or JSON.
 * @throws HcmError HCM_CONFIG_INVALID with all that cannot be read or means nothing, each with its place.
 */
export function importAzbridge(text: string, options: ImportOptions): Imported {
  const { file, namespace } = options;
  const document = readDocument(text.replace(/^\uFEFF/, ''), { file, env: {}, section: undefined });
  if (document.value === null) throw nothingIn(file);
  const findings: Findings = { warnings: [], faults: [] };
  const top = new ImportNode(document, findings);
  warnOfOptions(top);
  const access = new AccessReader(top, namespace);
  const reader = new ForwardReader(access, options, top.flag('GatewayPorts'));
  const listeners = reader.listeners(top.list('RemoteForward'));
  const forwards = top.list('LocalForward').flatMap((node) => reader.forwards(node));
  throwFaults(file, findings.faults);
  if (listeners.length + forwards.length === 0) throw nothingIn(file);
  const warnings = findings.warnings.toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column);
  return { manager: { listeners, forwards }, secrets: access.secrets, warnings };
}

class ForwardReader {
  readonly #access: AccessReader;
  readonly #options: ImportOptions;
  readonly #gatewayPorts: boolean;
  readonly #bound = new Set<string>();

  constructor(access: AccessReader, options: ImportOptions, gatewayPorts: boolean) {
    this.#access = access;
    this.#options = options;
    this.#gatewayPorts = gatewayPorts;
  }

  /** Entries for one hybrid connection become one listener: the relay hands each stream to any of several. */
  listeners(nodes: readonly ImportNode[]): ListenerDeclaration[] {
    const found = new Map<string, { relay: Relay; ports: Map<string, TargetAddress>; node: ImportNode }>();
    for (const node of nodes) {
      const ports = bindingsOf(node, REMOTE_BINDING_KEYS).map((binding) => readTarget(binding));
      const relay = this.#access.read(node, false);
      if (relay === undefined) continue;
      const key = relay.connection.toLowerCase();
      const known = found.get(key);
      if (known !== undefined)
        node.warn(
          'RelayName',
          'stands here again: one listener serves both entries; azbridge would start two, and a stream might reach the wrong one',
        );
      const entry = known ?? { relay, ports: new Map<string, TargetAddress>(), node };
      found.set(key, entry);
      for (const port of ports) if (port !== undefined) addPort(entry.ports, port);
    }
    return [...found.values()].map(({ relay, ports, node }) => ({
      ...this.#tunnel(relay, node),
      targets: { dialect: 'azbridge', ports },
      keepPath: false,
    }));
  }

  /** Bindings of the same name, and those without a token, stand in entries of their own. */
  forwards(node: ImportNode): ForwardDeclaration[] {
    const entries: { anonymous: boolean; ports: Map<string, Bind> }[] = [];
    for (const binding of bindingsOf(node, LOCAL_BINDING_KEYS)) {
      warnOfNames(binding);
      const anonymous = node.flag('NoAuthentication') || binding.flag('NoAuthentication');
      const port = readBind(binding, this.#gatewayPorts);
      if (port === undefined) continue;
      this.#checkBoundOnce(port);
      let entry = entries.find((one) => one.anonymous === anonymous && !one.ports.has(port.name));
      if (entry === undefined) entries.push((entry = { anonymous, ports: new Map() }));
      entry.ports.set(port.name, port.address);
    }
    return entries.flatMap(({ anonymous, ports }) => {
      const relay = this.#access.read(node, anonymous);
      return relay === undefined
        ? []
        : [{ ...this.#tunnel(relay, node), binds: { kind: 'azbridge', ports } }];
    });
  }

  #tunnel({ connection, secret }: Relay, { place }: ImportNode) {
    const access: Access = secret === undefined ? { kind: 'entra' } : this.#options.accessOf(secret);
    return { connection, access, at: place };
  }

  #checkBoundOnce({ address, node }: NamedPort<Bind>): void {
    const text = formatBind(address);
    if (this.#bound.has(text))
      node.fault(address.kind === 'unix' ? 'BindLocalSocket' : 'BindPort', `${text} is bound already, above`);
    this.#bound.add(text);
  }
}

/** The bindings of a forward: a list, or the one that it is itself. Names the keys that are none. */
function bindingsOf(node: ImportNode, keys: readonly string[]): ImportNode[] {
  warnOfUnknown(node, [...SHARED_KEYS, ...keys]);
  const list = node.list('Bindings');
  if (list.length === 0) return [node];
  for (const binding of list) warnOfUnknown(binding, keys);
  for (const key of keys) {
    if (key !== 'NoAuthentication' && node.text(key) !== undefined)
      node.warn(key, 'stands beside Bindings, which count alone: left out');
  }
  return list;
}

function addPort(ports: Map<string, TargetAddress>, { name, address, node }: NamedPort<TargetAddress>): void {
  if (ports.has(name))
    return node.fault('PortName', `the logical port "${name}" has a target already, above`);
  ports.set(name, address);
  if (httpPortNames(ports).length > 1) node.fault('Http', 'a second HTTP target: a connection can have one');
}

function warnOfNames(binding: ImportNode): void {
  if (binding.text('HostName') !== undefined)
    binding.warn(
      'HostName',
      'a note of azbridge: left out; a line in the hosts file makes it a name of the bound address',
    );
  if (binding.text('RemoteHostName') !== undefined)
    binding.warn('RemoteHostName', 'stands in the documents of azbridge, which refuses it: left out');
}

function nothingIn(file: string): HcmError {
  return new HcmError(
    'HCM_CONFIG_INVALID',
    `${file} has neither LocalForward nor RemoteForward: there is nothing to import.`,
    {
      details: { path: file, next: 'Name the file of azbridge: ~/.azbridge/azbridge_config.yml' },
    },
  );
}
