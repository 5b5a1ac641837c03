/**
 * Namespaces that are being made, changed or removed. Nothing waits: each knows when it will be ready, and whoever asks
 * next finds it so.
 */
import type { ArmContext } from '../context.ts';

/** Brings every namespace to where it is by now. */
export function settleNamespaces(context: ArmContext): void {
  const { state } = context;
  const due = state.namespaces.filter(
    ({ provisioning }) => provisioning && provisioning.readyAtMs <= context.nowMs(),
  );
  for (const namespace of due) {
    if (namespace.provisioning?.state === 'Deleting') {
      state.namespaces.splice(state.namespaces.indexOf(namespace), 1);
    } else {
      namespace.updatedAt = new Date(namespace.provisioning?.readyAtMs ?? 0).toISOString();
      delete namespace.provisioning;
    }
  }
  if (due.length > 0) context.changed();
}
