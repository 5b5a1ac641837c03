/** An HTTP request for a listener: lets the faults have their way with it, and refuses or relays it. */
import type { ServerResponse } from 'node:http';
import type { HttpRequest } from '../../server/http-request.ts';
import type { RelayContext } from '../context.ts';
import { admit } from './admit.ts';
import { Exchange } from './exchange.ts';
import { refuseRequest, refuseRequestWith } from './refuse-request.ts';

export function relayRequest(context: RelayContext, request: HttpRequest, response: ServerResponse): void {
  const { faults, timers } = context;
  if (faults.blackHoled) return;
  const fault = faults.takeRefusal('http');
  if (fault !== undefined) return refuseRequestWith(context, request, response, 'Fault', fault);
  const serve = () => {
    if (response.destroyed) return;
    const admission = admit(context, request);
    if (typeof admission === 'string') return refuseRequest(context, request, response, admission);
    new Exchange(context, request, response, admission).begin();
  };
  const stallMs = faults.stallMs.http ?? 0;
  if (stallMs === 0) serve();
  else timers.set(stallMs, serve);
}
