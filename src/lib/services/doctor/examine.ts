/**
 * The diagnosis: all proofs in their order, from this machine to the target and back. One that fails takes those that
 * stand on it with it; the others go on.
 */
import { connectionName, asHcmError } from '../../../tunnel/emitter.ts';
import { orAborted } from '../../../tunnel/network-errors.ts';
import { proveClock } from './clock.ts';
import { proveEntity, proveListeners, proveMetadata } from './entity.ts';
import { proveMachine } from './machine.ts';
import { proveNames } from './names.ts';
import { proveProbe } from './probe.ts';
import type { Case, Proof } from './proof.ts';
import { proveGateways, proveProxy, proveTcp } from './reach.ts';
import { failed, skipped, type Finding, type ProofId, type ProofReport } from './report.ts';
import { findRights, type Rights } from './rights.ts';
import type { Scene } from './scene.ts';
import { proveTarget } from './target.ts';
import { proveTls } from './tls.ts';
import { proveToken } from './token.ts';
import { proveUpgrade } from './upgrade.ts';
import { Way } from './way.ts';

const PROOFS: readonly Proof[] = [
  { id: 'machine', title: 'This machine', doing: 'looking at this machine', needs: [], prove: proveMachine },
  { id: 'clock', title: 'Clock', doing: 'asking the relay for the time', needs: [], prove: proveClock },
  { id: 'dns', title: 'Name of the namespace', doing: 'resolving names', needs: [], prove: proveNames },
  { id: 'proxy', title: 'Proxy', doing: 'trying the proxy', needs: [], prove: proveProxy },
  {
    id: 'tcp',
    title: 'Way to the relay',
    doing: 'dialing the relay',
    needs: ['dns', 'proxy'],
    prove: proveTcp,
  },
  { id: 'gateways', title: 'Gateways', doing: 'dialing its gateways', needs: ['tcp'], prove: proveGateways },
  { id: 'tls', title: 'TLS', doing: 'looking at its certificate', needs: ['tcp'], prove: proveTls },
  {
    id: 'websocket',
    title: 'WebSocket',
    doing: 'asking for a WebSocket',
    needs: ['tls'],
    prove: proveUpgrade,
  },
  {
    id: 'token',
    title: 'Token and rights',
    doing: 'showing the token',
    needs: ['websocket'],
    prove: proveToken,
  },
  {
    id: 'entity',
    title: 'Hybrid connection',
    doing: 'reading its description',
    needs: ['token'],
    prove: proveEntity,
  },
  {
    id: 'metadata',
    title: 'Metadata',
    doing: 'reading its metadata',
    needs: ['entity'],
    prove: proveMetadata,
  },
  {
    id: 'listeners',
    title: 'Listeners',
    doing: 'counting listeners',
    needs: ['entity'],
    prove: proveListeners,
  },
  { id: 'target', title: 'Target', doing: 'dialing the target', needs: [], prove: proveTarget },
  {
    ...{ id: 'probe', title: 'Through the relay and back', doing: 'opening a connection through the relay' },
    ...{ needs: ['entity', 'listeners', 'target'], prove: proveProbe },
  },
];

/** All that can be said without a hybrid connection. */
const ALONE: ReadonlySet<ProofId> = new Set<ProofId>(['machine']);

export interface ExamineOptions {
  /** A proof begins. */
  onBegin?(proof: Pick<Proof, 'id' | 'title' | 'doing'>): void;
  onReport?(report: ProofReport): void;
  /** Only these. Default: all that can be had with what the scene has. */
  only?: ReadonlySet<ProofId> | undefined;
  /** Already proven for another connection of the namespace, with this result: they are not tried again. */
  known?: ReadonlyMap<ProofId, ProofReport['result'] | 'passed'> | undefined;
}

/** Does not reject for what a proof finds; rejects with the signal's reason when that fires. Leaves nothing open. */
export async function examine(scene: Scene, options: ExamineOptions = {}): Promise<ProofReport[]> {
  const [connection] = scene.connections;
  const { known, only = connection === undefined ? ALONE : undefined } = options;
  const proofs = PROOFS.filter(({ id }) => (only?.has(id) ?? true) && known?.get(id) === undefined);
  const given = connection === undefined ? undefined : openCase(scene, new Way(scene, connection));
  const reports: ProofReport[] = [];
  const down = new Set([...(known ?? [])].flatMap(([id, result]) => (result === 'failed' ? [id] : [])));
  for (const proof of proofs) {
    scene.signal.throwIfAborted();
    options.onBegin?.(proof);
    const beganMs = scene.clock.monotonicMs();
    const on = needsOf(proof, scene).find((id) => down.has(id));
    const finding =
      on === undefined ? await prove(proof, scene, given) : skipped(`needs "${titleOf(on)}"`, on);
    if (finding.result === 'failed' || on !== undefined) down.add(proof.id);
    const ms = Math.round(scene.clock.monotonicMs() - beganMs);
    const report = { ...finding, proof: proof.id, title: proof.title, ms };
    reports.push(report);
    options.onReport?.(report);
  }
  return reports;
}

/** HOST/NAME of what is examined. */
export function examined({ connections: [connection] }: Scene): string | undefined {
  return connection && connectionName(connection);
}

function openCase(scene: Scene, way: Way): Case {
  let rights: Promise<Rights> | undefined;
  return { scene, way, rights: () => (rights ??= findRights(scene, way)) };
}

async function prove(proof: Proof, scene: Scene, given: Case | undefined): Promise<Finding> {
  try {
    // Only what stands on a connection looks at more than the scene.
    return await orAborted(proof.prove(given ?? ({ scene } as Case)), scene.signal);
  } catch (error) {
    if (scene.signal.aborted) throw error;
    return failed(asHcmError(error));
  }
}

/** The target that is not named here stands in the description, which takes a token to read. */
function needsOf({ id, needs }: Proof, { target, ports }: Scene): readonly ProofId[] {
  return id === 'target' && target === undefined && ports === undefined ? ['token', ...needs] : needs;
}

function titleOf(wanted: ProofId): string {
  return PROOFS.find(({ id }) => id === wanted)?.title ?? wanted;
}
