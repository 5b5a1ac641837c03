/**
 * The keys with which attached apps send: which rule they are of, whether they are still good, and what to give an app
 * that is written anew. App Service keeps a copy of the key's text, so a key that is made anew leaves the copy stale.
 */
import { HcmError } from '../../protocol/errors.ts';
import type { Azure } from '../arm/azure.ts';
import type { ConnectionRef, NamespaceRef, RuleOwner } from '../arm/references.ts';
import { listKeys, listRules, type RuleKeys } from '../arm/rules.ts';
import { readSendKey, type Attachment } from './apps.ts';
import { ensureDefaultRule } from './default-rules.ts';
import { Steps } from './steps.ts';

/** Which of its rule's keys an app has; `unknown` where that may not be read. */
export type SendKeyState = 'primary' | 'secondary' | 'stale' | 'unknown';

export interface OwnedKeys {
  readonly owner: RuleOwner;
  readonly keys: RuleKeys;
}

/** Reads each rule once, however many apps use it. */
export class SendKeys {
  readonly #azure: Azure;
  readonly #connection: ConnectionRef;
  readonly #byRule = new Map<string, Promise<OwnedKeys | undefined>>();

  constructor(azure: Azure, connection: ConnectionRef) {
    this.#azure = azure;
    this.#connection = connection;
  }

  /** The rule of the connection itself, else the one of the namespace; undefined when neither has it. */
  keysOf(rule: string): Promise<OwnedKeys | undefined> {
    const name = rule.toLowerCase();
    const known = this.#byRule.get(name);
    if (known !== undefined) return known;
    const read = this.#read(name);
    this.#byRule.set(name, read);
    return read;
  }

  async stateOf(attachment: Attachment): Promise<SendKeyState> {
    try {
      const sent = await readSendKey(this.#azure, attachment);
      if (sent === undefined) return 'unknown';
      const owned = await this.keysOf(attachment.relay.keyName);
      return owned === undefined ? 'stale' : matchKey(sent.key, owned.keys);
    } catch (error) {
      if (error instanceof HcmError && error.code === 'HCM_AZURE_FORBIDDEN') return 'unknown';
      throw error;
    }
  }

  /** A rule and a key of it that are good for the app: what it has, or better. Makes `defaultSender` when all is gone. */
  async goodKeyFor(attachment: Attachment): Promise<{ keyName: string; key: string }> {
    const { keyName } = attachment.relay;
    const owned = await this.keysOf(keyName);
    if (owned !== undefined) {
      const isSecondary = (await this.stateOf(attachment)) === 'secondary';
      return { keyName, key: isSecondary ? owned.keys.secondaryKey : owned.keys.primaryKey };
    }
    const steps = new Steps(this.#azure);
    const rule = await ensureDefaultRule(this.#azure, this.#connection, { right: 'Send', steps });
    const { primaryKey } = await listKeys(this.#azure, this.#connection, rule);
    return { keyName: rule, key: primaryKey };
  }

  async #read(rule: string): Promise<OwnedKeys | undefined> {
    const { subscriptionId, resourceGroup, name } = this.#connection;
    const namespace: NamespaceRef = { subscriptionId, resourceGroup, name };
    for (const owner of [this.#connection, namespace]) {
      const found = (await listRules(this.#azure, owner)).find((one) => one.name.toLowerCase() === rule);
      if (found !== undefined) return { owner, keys: await listKeys(this.#azure, owner, found.name) };
    }
    return undefined;
  }
}

export function matchKey(sent: string, { primaryKey, secondaryKey }: RuleKeys): SendKeyState {
  if (sent === '') return 'stale';
  return sent === primaryKey ? 'primary' : sent === secondaryKey ? 'secondary' : 'stale';
}
