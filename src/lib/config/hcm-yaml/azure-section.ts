/**
 * Section `azure:` of hcm.yaml, once its shape is right: names and targets checked as Azure would, what is said twice,
 * what App Service cannot take. Names in Azure have no case.
 */
import { HcmError } from '../../../protocol/errors.ts';
import {
  connectionNameFault,
  locationFault,
  namespaceNameFault,
  resourceGroupFault,
  ruleNameFault,
} from '../../../protocol/resource-names.ts';
import { parseTarget, type Target } from '../../../protocol/target.ts';
import type {
  AppDeclaration,
  AzureDeclaration,
  ConnectionDeclaration,
  NamespaceDeclaration,
  Right,
  RuleDeclaration,
} from './declaration.ts';
import { childPointer, type PlainDocument } from './document.ts';
import type { Fault } from './faults.ts';
import { pathOf } from './schema.ts';

// The shapes that the schema has made sure of.
type RulesNode = Record<string, Right[]> | null;
interface AppNode {
  name: string;
  slot?: string;
  resourceGroup?: string;
  subscription?: string;
}
interface ConnectionNode {
  target?: string;
  requiresClientAuthorization?: boolean;
  rules?: RulesNode;
  apps?: (string | AppNode)[] | null;
}
interface Placed {
  resourceGroup?: string;
  location?: string;
}
interface NamespaceNode extends Placed {
  tags?: Record<string, string> | null;
  rules?: RulesNode;
  connections?: Record<string, ConnectionNode | null> | null;
}
interface AzureNode extends Placed {
  subscription?: string;
  namespaces: Record<string, NamespaceNode | null>;
}

type NameFault = (name: string) => string | undefined;

/** The declarations, and what is wrong with them: they are good for nothing unless `faults` is empty. */
export function readAzureSection(document: PlainDocument): { azure: AzureDeclaration; faults: Fault[] } {
  return new SectionReader(document).read();
}

class SectionReader {
  readonly #document: PlainDocument;
  readonly #faults: Fault[] = [];

  constructor(document: PlainDocument) {
    this.#document = document;
  }

  read(): { azure: AzureDeclaration; faults: Fault[] } {
    const { azure } = this.#document.value as { azure: AzureNode };
    this.#checkPlace(azure, '/azure');
    const namespaces = this.#entries(azure.namespaces, '/azure/namespaces', namespaceNameFault).map(
      ([name, node, pointer]) => this.#namespace(name, node ?? {}, pointer, azure),
    );
    const subscription = azure.subscription === undefined ? {} : { subscription: azure.subscription };
    return { azure: { ...subscription, namespaces }, faults: this.#faults };
  }

  #namespace(name: string, node: NamespaceNode, pointer: string, inherited: Placed): NamespaceDeclaration {
    this.#checkPlace(node, pointer);
    const { resourceGroup = inherited.resourceGroup, location = inherited.location } = node;
    const connections = childPointer(pointer, 'connections');
    this.#entries(node.tags ?? {}, childPointer(pointer, 'tags'), () => undefined);
    return {
      name,
      ...(resourceGroup === undefined ? {} : { resourceGroup }),
      ...(location === undefined ? {} : { location }),
      tags: node.tags ?? {},
      rules: this.#rules(node.rules, childPointer(pointer, 'rules')),
      connections: this.#entries(node.connections ?? {}, connections, connectionNameFault).map(
        ([connection, inner, at]) => this.#connection(connection, inner ?? {}, at),
      ),
      at: this.#document.keyOrigin(pointer).place,
    };
  }

  #connection(name: string, node: ConnectionNode, pointer: string): ConnectionDeclaration {
    const target = this.#target(node.target, childPointer(pointer, 'target'));
    const { requiresClientAuthorization } = node;
    const connection: ConnectionDeclaration = {
      name,
      ...(target === undefined ? {} : { target }),
      ...(requiresClientAuthorization === undefined ? {} : { requiresClientAuthorization }),
      rules: this.#rules(node.rules, childPointer(pointer, 'rules')),
      apps: this.#apps(node.apps ?? [], childPointer(pointer, 'apps')),
      at: this.#document.keyOrigin(pointer).place,
    };
    if (connection.apps.length > 0) this.#checkAttachable(connection, node, pointer);
    return connection;
  }

  /** What App Service asks of a connection that apps are attached to. */
  #checkAttachable({ name, rules }: ConnectionDeclaration, node: ConnectionNode, pointer: string): void {
    const fault = (what: string) => this.#fault(childPointer(pointer, 'apps'), what);
    if (node.target === undefined) fault('apps can be attached only where "target" is declared');
    if (name.includes('/')) fault('App Service takes no connection with "/" in its name');
    if (node.requiresClientAuthorization === false) {
      fault('App Service needs "requiresClientAuthorization: true"');
    }
    const sender = rules.find((rule) => rule.name.toLowerCase() === 'defaultsender');
    if (sender && !sender.rights.includes('Send'))
      fault('apps sign in with defaultSender: it needs the right Send');
  }

  #target(text: string | undefined, pointer: string): Target | undefined {
    if (text === undefined) return undefined;
    try {
      return parseTarget(text);
    } catch (error) {
      if (!(error instanceof HcmError)) throw error;
      // What came from a variable is not shown.
      const [, why = ''] = error.message.split(' cannot be used:');
      const shown = this.#document.origin(pointer).written ?? text;
      this.#fault(
        pointer,
        `expected HOST:PORT such as db.corp.local:1433, and "${shown}" is none:${why.replace(/\.$/, '')}`,
      );
      return undefined;
    }
  }

  #rules(rules: RulesNode | undefined, pointer: string): RuleDeclaration[] {
    return this.#entries(rules ?? {}, pointer, ruleNameFault).map(([name, rights, at]) => {
      if (rights.includes('Manage') && rights.length < 3) {
        this.#fault(at, 'Manage stands with the others only: expected [Listen, Send, Manage]');
      }
      return { name, rights };
    });
  }

  #apps(apps: readonly (string | AppNode)[], pointer: string): AppDeclaration[] {
    const seen = new Set<string>();
    return apps.map((node, index) => {
      const at = childPointer(pointer, index);
      const app = typeof node === 'string' ? this.#appOfText(node, at) : node;
      const key = [app.subscription, app.resourceGroup, app.name, app.slot].join('\n').toLowerCase();
      if (seen.has(key)) this.#fault(at, `the app "${app.name}" stands here twice`);
      seen.add(key);
      return { ...app, at: this.#document.origin(at).place };
    });
  }

  #appOfText(text: string, pointer: string): AppNode {
    const [name = '', slot, ...rest] = text.split('/');
    if (name === '' || slot === '' || rest.length > 0) {
      const shown = this.#document.origin(pointer).written ?? text;
      this.#fault(pointer, `expected APP or APP/SLOT, found "${shown}"`);
    }
    return { name, ...(slot === undefined ? {} : { slot }) };
  }

  #checkPlace({ resourceGroup, location }: Placed, pointer: string): void {
    const check = (key: string, value: string | undefined, fault: NameFault) => {
      const what = value === undefined ? undefined : fault(value);
      const at = childPointer(pointer, key);
      if (what !== undefined)
        this.#fault(at, `"${this.#document.origin(at).written ?? value}" cannot be used: ${what}`);
    };
    check('resourceGroup', resourceGroup, resourceGroupFault);
    check('location', location, locationFault);
  }

  /** The entries of a mapping whose keys are names, with the pointer of each. */
  #entries<T>(mapping: Record<string, T>, pointer: string, faultOf: NameFault): [string, T, string][] {
    const seen = new Set<string>();
    return Object.entries(mapping).map(([name, value]) => {
      const at = childPointer(pointer, name);
      const origin = this.#document.keyOrigin(at);
      const shown = origin.written ?? name;
      const fault = (what: string) =>
        this.#faults.push({ at: origin.place, what: `${pathOf(pointer)}: "${shown}" ${what}` });
      const why = faultOf(name);
      if (why !== undefined) fault(`cannot be a name: ${why}`);
      if (seen.has(name.toLowerCase())) fault('stands here twice: in Azure, names have no case');
      seen.add(name.toLowerCase());
      return [name, value, at];
    });
  }

  #fault(pointer: string, what: string): void {
    this.#faults.push({ at: this.#document.origin(pointer).place, what: `${pathOf(pointer)}: ${what}` });
  }
}
