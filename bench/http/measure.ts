/** The HTTP workloads: small requests many or one at a time, a large answer, a large body. */
import { bundled } from '../bundle.ts';
import { spawnQuiet } from '../children.ts';
import type { HttpEntry, RunningPath } from '../peers/peer.ts';
import type { Effort, Sample, Workload } from '../workloads.ts';
import type { ClientConfig } from './client.ts';

export type HttpWorkload = Workload & { kind: 'http-get' | 'http-bulk' };

export function isHttp(workload: Workload): workload is HttpWorkload {
  return workload.kind === 'http-get' || workload.kind === 'http-bulk';
}

const warmUpRequests = 3000;
const warmUpLimitSeconds = 10;
const warmUpBytes = 30e6;

/** Compiled code is compared with compiled code, as with streams. */
export async function warmUpHttp(path: RunningPath, workloads: HttpWorkload[]): Promise<void> {
  const get = { mode: 'get', atOnce: 50, seconds: warmUpLimitSeconds, limit: warmUpRequests } as const;
  if (workloads.some(({ kind }) => kind === 'http-get')) await run(path, get);
  for (const mode of ['down', 'up'] as const) {
    const isWanted = workloads.some((one) => one.kind === 'http-bulk' && one.direction === mode);
    if (isWanted) await run(path, { mode, bytes: warmUpBytes });
  }
}

export function measureHttp(path: RunningPath, workload: HttpWorkload, { scale }: Effort): Promise<Sample> {
  if (workload.kind === 'http-get') {
    return run(path, {
      mode: 'get',
      atOnce: workload.atOnce,
      seconds: 4 * scale,
      limit: Number.MAX_SAFE_INTEGER,
    });
  }
  const bytes = Math.round(workload.megabytes * 1e6 * scale);
  return run(path, { mode: workload.direction, bytes });
}

async function run(
  path: RunningPath,
  what: Partial<ClientConfig> & Pick<ClientConfig, 'mode'>,
): Promise<Sample> {
  const config: ClientConfig = { atOnce: 1, seconds: 0, limit: 0, bytes: 0, ...entryOf(path), ...what };
  const child = spawnQuiet(process.execPath, [await bundled('http/client.ts'), JSON.stringify(config)]);
  try {
    return (await child.line(() => true, 90_000)) as Sample;
  } finally {
    await child.stop();
  }
}

function entryOf({ http }: RunningPath): HttpEntry {
  if (!http) throw new Error('this path speaks no HTTP');
  return http;
}
