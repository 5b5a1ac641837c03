/**
 * Namespaces that are being made, changed or removed. Nothing waits: each knows when it will be ready, and whoever asks
 * next finds it so. What a namespace says of itself meanwhile, by api-version.
 */
import type { NamespaceState, ProvisioningState } from '../../state.ts';
import { ArmError } from '../arm-error.ts';
import type { ArmContext } from '../context.ts';

/** A change takes this part of the time that a creation takes (recordings: 4 s and 43 to 47 s). */
const UPDATE_PART = 0.1;

/** Brings every namespace to where it is by now. */
export function settleNamespaces({ state, nowMs, changed }: ArmContext): void {
  const due = state.namespaces.filter(
    ({ provisioning }) => provisioning && provisioning.readyAtMs <= nowMs(),
  );
  for (const namespace of due) {
    if (namespace.provisioning?.state === 'Deleting') {
      state.namespaces.splice(state.namespaces.indexOf(namespace), 1);
    } else {
      namespace.updatedAt = new Date(namespace.provisioning?.readyAtMs ?? 0).toISOString();
      delete namespace.provisioning;
    }
  }
  if (due.length > 0) changed();
}

/** From now on the namespace is being made, changed or removed; what takes no time is through at once. */
export function beginProvisioning(
  { behaviour, faults, nowMs }: ArmContext,
  namespace: NamespaceState,
  state: ProvisioningState['state'],
): void {
  const creationMs = faults.arm.creationMs ?? behaviour.provisioningMs;
  const takesMs = { Creating: creationMs, Updating: creationMs * UPDATE_PART, Deleting: behaviour.removalMs }[
    state
  ];
  namespace.updatedAt = new Date(nowMs()).toISOString();
  // A removal is always seen once: the namespace is in lists until its time has come.
  if (takesMs > 0 || state === 'Deleting') namespace.provisioning = { state, readyAtMs: nowMs() + takesMs };
}

/** `provisioningState` and `status` of a namespace. */
export function stateWords(
  { provisioning }: NamespaceState,
  isNewest: boolean,
): { provisioningState: string; status: string } {
  switch (provisioning?.state) {
    case 'Creating':
      return isNewest
        ? { provisioningState: 'Creating', status: 'Creating' }
        : { provisioningState: 'Created', status: 'Activating' };
    case 'Updating':
      return { provisioningState: 'Updating', status: isNewest ? 'Updating' : 'Activating' };
    case 'Deleting':
      // The one thing that tells it from a healthy one is the status. [rec]
      return { provisioningState: 'Succeeded', status: 'Removing' };
    case undefined:
      return { provisioningState: 'Succeeded', status: 'Active' };
  }
}

/** @throws ArmError 409 while a namespace is made or removed */
export function checkSettled({ name, provisioning }: NamespaceState): void {
  if (provisioning === undefined || provisioning.state === 'Updating') return;
  const message = `Namespace provisioning in transition. For more information visit https://aka.ms/sbResourceMgrExceptions. Namespace: ${name}.`;
  throw new ArmError(409, 'Conflict', message);
}

/** @throws ArmError 404 for what is asked of a part of a namespace that is not there yet, or not any more */
export function checkActive(namespace: NamespaceState): void {
  const { name, subscriptionId, provisioning } = namespace;
  if (provisioning === undefined || provisioning.state === 'Updating') return;
  const current = provisioning.state === 'Creating' ? 'Created' : 'Removing';
  const message = `The namespace ${name} in subscription ${subscriptionId} is not active, its current state is ${current}.`;
  throw new ArmError(404, 'NotFound', message);
}
