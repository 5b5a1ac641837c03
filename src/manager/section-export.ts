/** What the manager runs, as section `manager:` of hcm.yaml: of its store and of its file, without any secret. */
import type { Access, ManagerDeclaration } from '../lib/config/hcm-yaml/manager-declaration.ts';
import { managerSectionData } from '../lib/config/hcm-yaml/write-manager.ts';
import { parseTargetAddress } from '../protocol/target-address.ts';
import { formatTarget } from '../protocol/target.ts';
import type { ManagerExport } from './control/operations.ts';
import type { ConnectionSpec } from './tunnel.ts';

/** `hasSecret`: whether the store has a connection string for it; a variable takes its place. */
export function exportSection(
  specs: readonly ConnectionSpec[],
  hasSecret: (spec: ConnectionSpec) => boolean,
): ManagerExport {
  const secrets: ManagerExport['secrets'][number][] = [];
  const taken = new Set<string>();
  const access = (spec: ConnectionSpec, declared: Access): Access => {
    const isStored = spec.source === 'store' && hasSecret(spec);
    if (!isStored && declared.kind !== 'variable') return declared;
    const name = declared.kind === 'variable' ? declared.name : freeName(spec, taken);
    const { connection, role } = spec;
    if (!taken.has(name)) secrets.push({ variable: name, connection, role });
    taken.add(name);
    return { kind: 'variable', name, text: '' };
  };
  const manager: ManagerDeclaration = {
    listeners: specs.flatMap((spec) =>
      spec.declared.kind === 'listener'
        ? [{ ...pinned(spec, spec.declared), access: access(spec, spec.declared.listener.access) }]
        : [],
    ),
    forwards: specs.flatMap((spec) =>
      spec.declared.kind === 'forward'
        ? [{ ...spec.declared.forward, access: access(spec, spec.declared.forward.access) }]
        : [],
    ),
  };
  return { ...managerSectionData(manager), secrets };
}

/** A file confirms no target: the one that was confirmed stands in it, which is as narrow. */
function pinned(
  spec: ConnectionSpec,
  { listener }: Extract<ConnectionSpec['declared'], { kind: 'listener' }>,
): ManagerDeclaration['listeners'][number] {
  const { targets, allow } = listener;
  if (targets.dialect !== 'raw' || targets.target || allow || spec.pinned === undefined) return listener;
  return { ...listener, targets: { ...targets, target: parseTargetAddress(formatTarget(spec.pinned)) } };
}

function freeName({ role, connection }: ConnectionSpec, taken: ReadonlySet<string>): string {
  const plain = connection.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
  const base = `HCM_CONNECTION_STRING_${plain}_${role === 'listener' ? 'LISTEN' : 'SEND'}`;
  let name = base;
  for (let number = 2; taken.has(name); number += 1) name = `${base}_${number}`;
  return name;
}
