/** service start, stop and status. Status is one answer: what the supervisor sees, and what the manager itself says. */
import { ControlClient } from '../../../manager/control/control-client.ts';
import type { ConnectionView, ManagerView } from '../../../manager/control/operations.ts';
import { HcmError } from '../../../protocol/errors.ts';
import type { ServiceHost, ServiceState } from '../../services/service/service-host.ts';
import { EXIT } from '../../error-table.ts';
import { askedSocket, serviceSocket } from '../manager/manager-place.ts';
import { printStatus } from '../manager/manager-presenter.ts';
import { TimeAgo } from '../manager/time-ago.ts';
import type { Output } from '../output.ts';
import { printFields, type Field } from '../table.ts';

export interface ServiceRun {
  host: ServiceHost;
  output: Output;
  json: boolean;
}

export async function startService({ host, output, json }: ServiceRun): Promise<void> {
  output.progress('Starting the service');
  const { changed } = await host.start();
  if (json) return output.json({ changed, ...(await host.state()) });
  output.answer(changed ? 'The service runs.' : 'The service runs already; nothing was changed.');
}

export async function stopService({ host, output, json }: ServiceRun): Promise<void> {
  output.progress('Stopping the service; open streams may finish');
  const { changed } = await host.stop();
  if (json) return output.json({ changed, ...(await host.state()) });
  output.answer(changed ? 'The service has stopped.' : 'The service does not run; nothing was changed.');
}

/** Null: not here, or it does not answer; `problem` says why. */
interface Told {
  readonly manager: ManagerView | null;
  readonly connections: readonly ConnectionView[];
  readonly problem?: { readonly code: string; readonly message: string };
}

/** Resolves with the exit status: 7 when it does not run. */
export async function showServiceStatus({ host, output, json }: ServiceRun): Promise<number> {
  const service = await stateOf(host);
  const told = await askManager(service);
  const runs = service === null ? told.manager !== null : service.running;
  if (json) output.json({ running: runs, service, ...told });
  else print(output, service, told);
  return runs ? 0 : EXIT.notRunning;
}

/** Null where there is nothing like services. */
async function stateOf(host: ServiceHost): Promise<ServiceState | null> {
  try {
    return await host.state();
  } catch (error) {
    if (error instanceof HcmError && error.code === 'HCM_SERVICE_UNSUPPORTED') return null;
    throw error;
  }
}

async function askManager(service: ServiceState | null): Promise<Told> {
  const isShared = service?.scope === 'system' && service.running && !process.env['HCM_CONTROL_SOCKET'];
  const client = new ControlClient(isShared ? serviceSocket() : askedSocket(process.env));
  try {
    const [manager, connections] = await Promise.all([client.describe(), client.list()]);
    return { manager, connections };
  } catch (error) {
    if (!(error instanceof HcmError)) throw error;
    return { manager: null, connections: [], problem: { code: error.code, message: error.message } };
  }
}

function print(output: Output, service: ServiceState | null, { manager, connections, problem }: Told): void {
  const nowMs = Date.now();
  const fields: Field[] =
    service === null ? [['service', 'this machine has no systemd']] : fieldsOf(service, nowMs);
  if (manager !== null) {
    const isOther = service !== null && service.pid !== manager.pid;
    if (isOther) fields.push(['note', 'the manager that answers is not the one of the service']);
    printStatus(output, { manager, connections }, nowMs, fields);
  } else {
    if (problem !== undefined) fields.push(['manager', `${problem.message} (${problem.code})`]);
    printFields(output, fields);
  }
  if (service !== null && !service.running) {
    const start = service.scope === 'user' ? 'hcm service start --user' : 'sudo hcm service start';
    output.next(service.installed ? start : 'sudo hcm service install, or hcm service install --user');
  }
}

function fieldsOf(service: ServiceState, nowMs: number): Field[] {
  const { installed, enabled, state, since, pid, restarts, result, unit, supervisor, scope } = service;
  if (!installed) return [['service', `not installed (${supervisor}, ${scope})`]];
  const up = since === undefined ? '' : `, up ${new TimeAgo(nowMs).text(since)}`;
  const process = pid === undefined ? '' : `, process ${pid}`;
  return [
    ['service', `${state}${up}${process}`],
    ['starts', enabled ? (scope === 'user' ? 'when the user logs in' : 'with the machine') : 'only by hand'],
    ['restarts', restarts === 0 ? undefined : restarts],
    ['last result', result],
    ['unit', unit],
  ];
}
