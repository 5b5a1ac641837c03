/** Microsoft.Web without HTTP, tokens and TLS: requests go straight to its routes. */
import { ArmFaults } from '../../../src/emulator/arm-faults.ts';
import { ArmError } from '../../../src/emulator/arm/arm-error.ts';
import type { ArmContext } from '../../../src/emulator/arm/context.ts';
import { Router, segmentsOf } from '../../../src/emulator/arm/router.ts';
import { createWebProvider } from '../../../src/emulator/arm/web/provider.ts';
import { createState, putConnection, type EmulatorState } from '../../../src/emulator/state.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export class WebBed {
  readonly state: EmulatorState = createState(0);
  readonly faults = new ArmFaults();
  /** How often the state was said to have changed. */
  changes = 0;
  nowMs = Date.parse('2026-01-02T03:04:05.678Z');
  readonly #router: Router;

  constructor() {
    const context = {
      state: this.state,
      faults: { arm: this.faults },
      nowMs: () => this.nowMs,
      changed: () => void (this.changes += 1),
    } as unknown as ArmContext;
    this.#router = new Router(createWebProvider(context).routes);
  }

  /** `/subscriptions/…/Microsoft.Web` of the seeded group. */
  get group(): string {
    return `${this.#subscription}/resourceGroups/local/providers/Microsoft.Web`;
  }

  get #subscription(): string {
    return `/subscriptions/${this.state.subscriptionId}`;
  }

  /** The id of a hybrid connection in the seeded namespace, which is made if it is missing. */
  relayId(name: string): string {
    const [namespace] = this.state.namespaces;
    if (namespace === undefined) throw new Error('no namespace');
    putConnection(namespace, { name, target: 'db:5432' }, 0);
    return `${this.#subscription}/resourceGroups/local/providers/Microsoft.Relay/namespaces/local-relay/hybridConnections/${name}`;
  }

  /** `path` is from the group on, or whole. */
  async ask(method: string, path: string, body?: object): Promise<Answer> {
    const url = new URL(
      path.startsWith('/subscriptions/') ? path : `${this.group}/${path}`,
      'https://localhost',
    );
    const match = this.#router.match(method, segmentsOf(url.pathname));
    if (match === undefined) throw new Error(`no route: ${method} ${url.pathname}`);
    const { route, params } = match;
    try {
      const request = { method, url, params, apiVersion: '2025-03-01', body, headers: {}, baseUrl: '' };
      const answer = await route.handle(request as unknown as Parameters<typeof route.handle>[0]);
      return { headers: {}, body: undefined, ...answer };
    } catch (error) {
      if (!(error instanceof ArmError)) throw error;
      return { status: error.status, headers: error.headers, body: error.toBody() };
    }
  }

  /** Attaches a connection, which is made if it is missing. */
  attach(app: string, name: string, properties: object = {}): Promise<Answer> {
    return this.ask('PUT', `sites/${app}/hybridConnectionNamespaces/local-relay/relays/${name}`, {
      properties: {
        ...{ serviceBusNamespace: 'local-relay', relayName: name, relayArmUri: this.relayId(name) },
        ...{ hostname: 'db', port: 5432, sendKeyName: 'defaultSender', sendKeyValue: `key of ${name}` },
        serviceBusSuffix: '.servicebus.windows.net',
        ...properties,
      },
    });
  }

  putPlan(name: string, sku: string): Promise<Answer> {
    return this.ask('PUT', `serverfarms/${name}`, { location: 'West Europe', sku: { name: sku } });
  }

  putSite(name: string, plan: string, rest: object = {}): Promise<Answer> {
    const properties = { serverFarmId: `${this.group}/serverfarms/${plan}` };
    return this.ask('PUT', `sites/${name}`, { location: 'westeurope', properties, ...rest });
  }
}

/** What stands at a path like `properties.sku.name` of a body; undefined when nothing does. */
export function at(body: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], body);
}
