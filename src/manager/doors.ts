/**
 * Where a manager can be asked: its socket, which also keeps a second manager from its folder, and its web server. They
 * open together, and close together.
 */
import { HcmError } from '../protocol/errors.ts';
import type { Clock } from '../tunnel/clock.ts';
import { serveApi } from './control/api.ts';
import { openControlSocket } from './control/control-socket.ts';
import type { DashboardInvitation, ManagerOperations } from './control/operations.ts';
import { claimFolder, inTurn } from './folder-claim.ts';
import type { ManagedConnection } from './managed-connection.ts';
import { Metrics } from './metrics.ts';
import type { Readiness } from './readiness.ts';
import { openWebServer, type WebServer } from './web/web-server.ts';

export interface DoorsOptions {
  readonly folder: string;
  readonly socketPath: string;
  /** The group that may use the socket, of a service. */
  readonly groupId?: number | undefined;
  /** The web server on loopback: its port (0: any free one), and the folder of the built page. Absent: none. */
  readonly web?: { readonly port: number; readonly folder: string } | undefined;
  readonly clock: Clock;
}

/** Who is asked. */
interface Asked extends ManagerOperations {
  readonly readiness: Readiness;
  readonly connections: readonly ManagedConnection[];
}

export class Doors {
  readonly #closers: (() => Promise<void>)[] = [];
  #web: WebServer | undefined;

  /**
   * The socket first: of two managers of a folder, the second ends here.
   * @throws HcmError HCM_STATE_LOCKED, HCM_BIND_FAILED; nothing is open then.
   */
  async open(asked: Asked, options: DoorsOptions): Promise<void> {
    try {
      await this.#open(asked, options);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** `http://127.0.0.1:PORT`; undefined: there is no web server. */
  get webUrl(): string | undefined {
    return this.#web?.url;
  }

  /** A link to the page. Rejects with HcmError HCM_NOT_RUNNING without a web server. */
  invite(): Promise<DashboardInvitation> {
    if (this.#web) return Promise.resolve(this.#web.invite());
    const error = new HcmError('HCM_NOT_RUNNING', 'The manager runs without its web server.', {
      details: { next: 'Start it without --no-http: hcm service run' },
    });
    return Promise.reject(error);
  }

  async close(): Promise<void> {
    await Promise.all(this.#closers.splice(0).map((close) => close()));
  }

  async #open(asked: Asked, { folder, socketPath, groupId, web, clock }: DoorsOptions): Promise<void> {
    await inTurn(folder, clock, async () => {
      const socket = await openControlSocket({
        path: socketPath,
        groupId,
        serve: (request, response) => void serveApi(asked, request, response),
      });
      this.#closers.push(() => socket.close());
      const claim = await claimFolder(folder, socketPath);
      this.#closers.push(() => claim.release());
    });
    if (web === undefined) return;
    const metrics = new Metrics(asked);
    const server = await openWebServer({
      ...{ ...web, clock, operations: asked },
      readiness: () => asked.readiness,
      metrics: () => metrics.collect(),
    });
    this.#web = server;
    this.#closers.push(() => server.close());
  }
}
