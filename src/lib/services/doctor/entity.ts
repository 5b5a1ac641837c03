/** Proofs from the description of the hybrid connection: it exists, names a usable target, and has listeners. */
import { HcmError } from '../../../protocol/errors.ts';
import { MAX_LISTENERS } from '../../../protocol/limits.ts';
import { formatTarget } from '../../../protocol/target.ts';
import { targetFromUserMetadata } from '../../../protocol/user-metadata.ts';
import type { Case } from './proof.ts';
import { failed, ok, skipped, warning, type Finding } from './report.ts';

const NEEDS_LISTEN = 'needs a rule with the right Listen';

export async function proveEntity({ way, rights }: Case): Promise<Finding> {
  const { listen, send } = await rights();
  const isMissing = [listen, send].some((grant) => grant.connection !== undefined && grant.entityMissing);
  if (isMissing) {
    const text = `${way.host} knows no hybrid connection "${way.path}"`;
    throw new HcmError('HCM_ENTITY_NOT_FOUND', text, { details: { host: way.host, path: way.path } });
  }
  if (listen.connection === undefined) return ok(`"${way.path}" exists; its description ${NEEDS_LISTEN}`);
  const { description } = listen;
  if (description === undefined) throw new Error('a description was read');
  const { requiresClientAuthorization, createdAt } = description;
  const facts = { requiresClientAuthorization, ...(createdAt === undefined ? {} : { createdAt }) };
  const anonymous = '; senders need no token, so App Service cannot use it';
  return ok(`"${way.path}" exists${requiresClientAuthorization ? '' : anonymous}`, facts);
}

export async function proveMetadata({ scene, way, rights }: Case): Promise<Finding> {
  if (scene.ports !== undefined) return skipped('azbridge does without: its targets have names of their own');
  const description = await descriptionOf(rights);
  if (description === undefined) return skipped(NEEDS_LISTEN);
  const [namespace = ''] = way.host.split('.');
  // The emulator under the bare name of this machine: no namespace is known, and a listener can do without.
  const next = /^(localhost|127|::1)$/.test(namespace)
    ? 'Say where it goes: --target HOST:PORT'
    : `hcm connection update ${namespace}/${way.path} --target HOST:PORT`;
  try {
    const target = targetFromUserMetadata(description.userMetadata);
    if (target !== undefined) return ok(`names ${formatTarget(target)}`, { target: formatTarget(target) });
    throw new HcmError('HCM_TARGET_MISSING', 'The metadata names no target');
  } catch (error) {
    if (!(error instanceof HcmError)) throw error;
    const named = new HcmError(error.code, error.message, { details: { ...error.details, next } });
    const cause = 'App Service, and a listener without --target, learn the target from there.';
    return scene.target === undefined ? failed(named, cause) : warning(named, cause);
  }
}

export async function proveListeners({ way, rights }: Case): Promise<Finding> {
  const description = await descriptionOf(rights);
  if (description === undefined) return skipped(NEEDS_LISTEN);
  const { listenerCount } = description;
  const { side } = await rights();
  const facts = { listenerCount, maxListeners: MAX_LISTENERS };
  const details = { host: way.host, path: way.path };
  if (listenerCount === 0) {
    const none = new HcmError('HCM_NO_LISTENER', `No listener is connected to "${way.path}"`, {
      ...{ retryable: true, details },
    });
    return side === 'listener'
      ? warning(none, 'None need be before one is started here.', facts)
      : failed(none, 'Senders are turned away until one is.', facts);
  }
  const seen = `${listenerCount} of at most ${MAX_LISTENERS}`;
  if (listenerCount < MAX_LISTENERS || side === 'sender') return ok(seen, facts);
  const full = new HcmError('HCM_LISTENER_QUOTA', `${seen} listeners are connected to "${way.path}"`, {
    ...{ retryable: true, details },
  });
  return side === 'listener'
    ? failed(full, 'The next one is turned away.', facts)
    : warning(full, 'The next one is turned away.', facts);
}

async function descriptionOf(rights: Case['rights']) {
  const { listen } = await rights();
  return listen.connection === undefined ? undefined : listen.description;
}
