// Makes the pictures of the manager's page in docs/images: the real program, with real traffic and real trouble, in a
// real Chromium. Takes about two minutes; needs a build, and /usr/bin/chromium.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { client, portOf, startServer } from '../test/e2e/relay-home.ts';
import { RealBrowser, type BrowserPage } from '../test/real/dashboard/browser.ts';
import { ManagerBed } from '../test/real/dashboard/manager-bed.ts';

const FOLDER = join(import.meta.dirname, '..', 'docs', 'images');
/** Until the charts have something to show. */
const TRAFFIC_MS = 100_000;
const VIEW = { viewport: { width: 1280, height: 860 } };

const bed = new ManagerBed();
const servers: Server[] = [];
const traffic: NodeJS.Timeout[] = [];
try {
  const target = async (serve: (socket: Socket) => void) => {
    const server = await startServer(serve);
    servers.push(server);
    return server;
  };
  // Answers with some times as much as it was asked.
  const answering = (times: number) => (socket: Socket) =>
    void socket
      .on('data', (chunk: Buffer) => socket.write(Buffer.alloc(chunk.length * times)))
      .on('end', () => socket.end());
  const orders = await target(answering(4));
  const crm = await target(answering(9));
  await bed.startRelay({ orders, crm, files: orders, erp: orders, ldap: undefined, reports: crm });
  writeFileSync(bed.path('hcm.yaml'), await fileOf(bed));
  await bed.startManager('--file', 'hcm.yaml');
  for (const name of ['orders', 'crm', 'files']) await bed.add(`${name}-listen.txt`);
  writeFileSync(bed.path('erp-wrong.txt'), withWrongKey(readFileSync(bed.path('erp-listen.txt'), 'utf8')));
  await bed.add('erp-wrong.txt', '--target', 'erp.corp.local:8443');
  const taken = await target((socket) => socket.destroy());
  await bed.add('reports-send.txt', '--bind', `127.0.0.1:${portOf(taken)}`);
  // Whoever asks is elsewhere, as an app in Azure is.
  const ports = [(await bed.forward('orders')).port, (await bed.forward('crm')).port];
  await bed.add('crm-send.txt', '--bind', '127.0.0.1:0');
  const moved = ['connection', 'update', 'local-relay/files', '--target', '10.9.8.7:22', '--cloud', 'local'];
  await bed.run(moved);
  await bed.run(['restart', 'localhost/files']);
  for (const [at, port] of ports.entries())
    for (let n = 0; n < 6; n += 1) traffic.push(await pump(port, at, n));
  await sleep(TRAFFIC_MS);
  await takePictures();
} finally {
  for (const timer of traffic) clearInterval(timer);
  for (const server of servers) server.close();
  await bed.remove();
}

async function takePictures(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  const browser = await RealBrowser.start();
  for (const colorScheme of ['light', 'dark'] as const) {
    const opened = await browser.open(await bed.invite(), { ...VIEW, colorScheme });
    await sleep(6_000);
    await picture(opened, `dashboard-${colorScheme}`);
    if (colorScheme === 'light') continue;
    await opened.page.getByRole('link', { name: 'localhost/orders' }).first().click();
    await sleep(3_000);
    await picture(opened, 'dashboard-connection');
  }
  await browser.stop();
}

async function picture({ page }: BrowserPage, name: string): Promise<void> {
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(FOLDER, `${name}.png`) });
}

/** One whose target does not answer: its port was free a moment ago. */
async function fileOf(home: ManagerBed): Promise<string> {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const entry = {
    connection: 'localhost/ldap',
    connectionStringFile: home.path('ldap-listen.txt'),
    target: `127.0.0.1:${portOf(closed)}`,
    healthCheck: 'tcp',
  };
  await new Promise((resolve) => closed.close(resolve));
  return JSON.stringify({ manager: { listeners: [entry], forwards: [] } });
}

/** Asks again and again, at times more and at times less, and sometimes comes anew. */
async function pump(port: number, at: number, n: number): Promise<NodeJS.Timeout> {
  let socket = await open(port);
  let tick = 0;
  return setInterval(() => {
    tick += 1;
    const wave = 1 + Math.sin(tick / (90 + 35 * at) + at * 2 + n / 3);
    socket.write(Buffer.alloc(Math.round(400 + wave * (2_500 - at * 1_200))));
    if (tick % (140 + n * 70) !== 0) return;
    socket.destroy();
    void open(port).then((next) => (socket = next));
  }, 100);
}

async function open(port: number): Promise<Socket> {
  const socket = await client(port);
  socket.on('error', () => undefined);
  return socket.resume();
}

function withWrongKey(connectionString: string): string {
  return connectionString.replace(/SharedAccessKey=[^;]{6}/, 'SharedAccessKey=AAAAAA');
}
