/** Is a document that was read somewhere a state of the emulator? Documents of older versions are brought up to date. */
import { HcmError } from '../protocol/errors.ts';
import { USER_METADATA_MAX_CHARS } from '../protocol/limits.ts';
import { checkEntra } from './entra-state.ts';
import { asRecord, checkList, checkTexts, corrupt } from './state-fields.ts';
import { migrateState } from './state-migration.ts';
import { RIGHTS, STATE_VERSION, type EmulatorState } from './state.ts';
import { checkWeb } from './web-state.ts';

/**
 * Checks a document, after migration.
 * @throws HcmError HCM_STATE_CORRUPT; `details.reason` is `newer-version` when a later hcm wrote it (then it must
 * not be overwritten), else `schema`.
 */
export function checkState(value: unknown): EmulatorState {
  const document = asRecord(value, 'the document');
  if (typeof document.version === 'number' && document.version > STATE_VERSION) {
    throw new HcmError(
      'HCM_STATE_CORRUPT',
      `The emulator's state has version ${document.version}, and this hcm knows ${STATE_VERSION}: a newer hcm wrote it.`,
      { details: { reason: 'newer-version', version: document.version } },
    );
  }
  const state = migrateState(document);
  if (state.version !== STATE_VERSION) throw corrupt('version');
  checkTexts(state, '', 'tenantId', 'subscriptionId', 'clientId', 'clientSecret', 'resourceGroup');
  for (const item of checkList(state.subscriptions, 'subscriptions')) checkSubscription(item);
  for (const item of checkList(state.resourceGroups, 'resourceGroups')) {
    const group = asRecord(item, 'resourceGroups[]');
    checkTexts(group, 'resourceGroups[].', 'subscriptionId', 'name', 'location');
    asRecord(group.tags, 'resourceGroups[].tags');
  }
  for (const item of checkList(state.namespaces, 'namespaces')) checkNamespace(item);
  checkWeb(state);
  checkEntra(state);
  return state as unknown as EmulatorState;
}

function checkSubscription(value: unknown): void {
  const subscription = asRecord(value, 'subscriptions[]');
  checkTexts(subscription, 'subscriptions[].', 'subscriptionId', 'displayName', 'state');
  checkList(subscription.registeredProviders, 'subscriptions[].registeredProviders');
}

function checkNamespace(value: unknown): void {
  const namespace = asRecord(value, 'namespaces[]');
  const where = 'namespaces[].';
  checkTexts(
    namespace,
    where,
    'name',
    'createdAt',
    'updatedAt',
    'subscriptionId',
    'resourceGroup',
    'location',
  );
  asRecord(namespace.tags, 'namespaces[].tags');
  if (namespace.provisioning !== undefined) {
    const provisioning = asRecord(namespace.provisioning, 'namespaces[].provisioning');
    checkTexts(provisioning, 'namespaces[].provisioning.', 'state');
    if (typeof provisioning.readyAtMs !== 'number') throw corrupt('namespaces[].provisioning.readyAtMs');
  }
  for (const rule of checkList(namespace.rules, 'namespaces[].rules')) checkRule(rule);
  for (const connection of checkList(namespace.connections, 'connections')) checkConnection(connection);
}

function checkConnection(value: unknown): void {
  const connection = asRecord(value, 'connections[]');
  checkTexts(connection, 'connections[].', 'name', 'createdAt', 'updatedAt');
  if (typeof connection.requiresClientAuthorization !== 'boolean') {
    throw corrupt('connections[].requiresClientAuthorization');
  }
  const metadata = connection.userMetadata;
  if (typeof metadata !== 'string' || metadata.length > USER_METADATA_MAX_CHARS) {
    throw corrupt('connections[].userMetadata');
  }
  for (const rule of checkList(connection.rules, 'connections[].rules')) checkRule(rule);
}

function checkRule(value: unknown): void {
  const rule = asRecord(value, 'rules[]');
  checkTexts(rule, 'rules[].', 'name', 'primaryKey', 'secondaryKey');
  for (const right of checkList(rule.rights, 'rules[].rights')) {
    if (!RIGHTS.some((known) => known === right)) throw corrupt('rules[].rights');
  }
}
