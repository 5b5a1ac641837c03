/** Whether two texts NAMESPACE/NAME are one hybrid connection: names of Azure have no case, and a namespace may be its host. */

export function isSameConnection(one: string, other: string): boolean {
  const [a, b] = [split(one), split(other)];
  if (a.name !== b.name) return false;
  if (a.namespace === b.namespace) return true;
  // Of two hosts the clouds may differ; a name without one is of the cloud in use.
  const isShort = !a.namespace.includes('.') || !b.namespace.includes('.');
  return isShort && label(a.namespace) === label(b.namespace);
}

function split(connection: string): { namespace: string; name: string } {
  const text = connection.toLowerCase();
  const slash = text.indexOf('/');
  return { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

function label(namespace: string): string {
  return namespace.split('.')[0] ?? '';
}
