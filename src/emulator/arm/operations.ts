/**
 * Operations that take time: their addresses, and what is answered there. An address says all that there is to know
 * (when it will be ready, what for), as Azure's are signed and opaque: nothing is kept, and a restart loses none.
 */
import { randomUUID } from 'node:crypto';
import type { ArmRequest } from './router.ts';

export interface Operation {
  readonly readyAtMs: number;
  /** Path of the resource that is there at the end; '' when it will be gone. */
  readonly resource: string;
}

/** Adds an operation to the address of its results. */
export function operationUrl(
  results: string,
  apiVersion: string,
  operation: Operation,
  isAsyncHeader?: boolean,
): string {
  const url = new URL(`${results}/${randomUUID()}`);
  if (isAsyncHeader !== undefined) url.searchParams.set('isAsyncHeader', String(isAsyncHeader));
  url.searchParams.set('api-version', apiVersion);
  url.searchParams.set('t', String(operation.readyAtMs));
  url.searchParams.set('c', Buffer.from(operation.resource).toString('base64url'));
  return url.href;
}

/** The operation of a request to such an address. */
export function operationOf({ url }: Pick<ArmRequest, 'url'>): Operation {
  const read = (name: string) => url.searchParams.get(name) ?? '';
  return { readyAtMs: Number(read('t')) || 0, resource: Buffer.from(read('c'), 'base64url').toString() };
}

/** When to ask again: whole seconds are all that the header can say. */
export function retryAfter(
  { readyAtMs }: Pick<Operation, 'readyAtMs'>,
  nowMs: number,
): Record<string, string> {
  return { 'Retry-After': String(Math.max(1, Math.ceil((readyAtMs - nowMs) / 1_000))) };
}
