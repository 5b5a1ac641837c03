/** `hcm test`: a connection of the manager, or an address, proven step by step and shown as doctor shows it. */
import { HcmError } from '../../../protocol/errors.ts';
import type { ControlClient } from '../../../manager/control/control-client.ts';
import type { EndpointReport, TestReport } from '../../../manager/control/operations.ts';
import { systemClock } from '../../../tunnel/clock.ts';
import { examineEndpoint, parseEndpoint } from '../../services/doctor/endpoint.ts';
import { proofOfView, viewOfProof } from '../../services/doctor/proof-view.ts';
import { systemDns } from '../../services/firewall/dns.ts';
import { exitStatusOf, printProof, sayFailure } from '../doctor-presenter.ts';
import { interruptSignal } from '../interrupt-signal.ts';
import { networkOptions } from '../network-flags.ts';
import type { Output } from '../output.ts';
import { proxySettingOf, thisMachine } from '../this-machine.ts';
import { findManaged } from './manager-flags.ts';

export interface TestRun {
  client: ControlClient;
  output: Output;
  json: boolean;
  version: string;
  env?: NodeJS.ProcessEnv;
}

/** NAMESPACE/NAME has a slash; HOST:PORT and the host of a namespace have none, and URLs and paths say what they are. */
export function isConnectionName(text: string): boolean {
  return text.includes('/') && !/^(?:[a-z]+:\/\/|unix:)/i.test(text);
}

/** Resolves with the exit status: that of the first proof that failed. @throws HcmError HCM_NOT_RUNNING and its like. */
export async function testConnection(
  name: string,
  role: string | undefined,
  { client, output, json }: TestRun,
): Promise<number> {
  const { id } = await findManaged(client, name, { role }).catch((error: unknown) => {
    throw withoutManager(error, name);
  });
  if (process.stderr.isTTY) output.progress(`testing ${name}`);
  const report = await client.test(id).finally(() => output.wipeProgress());
  return present(report, { output, json, passed: `${name} passed.` });
}

/** Through the manager where one runs: it stands where the listener stands. Else from here. */
export async function testEndpoint(endpoint: string, run: TestRun): Promise<number> {
  const { client, output, json } = run;
  // Before anybody is asked: what is no address, is none anywhere.
  readEndpoint(endpoint);
  if (process.stderr.isTTY) output.progress(`testing ${endpoint}`);
  const asked = await client.testEndpoint(endpoint).catch((error: unknown) => {
    if (error instanceof HcmError && error.code === 'HCM_NOT_RUNNING') return undefined;
    throw error;
  });
  const report = asked ?? (await testHere(endpoint, run));
  output.wipeProgress();
  if (!json) output.say(asked ? 'From the manager:' : 'From here, since no manager runs:');
  const from = asked ? 'manager' : 'here';
  return present({ ...report, from }, { output, json, passed: `${endpoint} answers.` });
}

async function testHere(
  text: string,
  { output, version, env = process.env }: TestRun,
): Promise<EndpointReport> {
  const { HCM_PROXY: proxy, HCM_CA_FILE: caFile } = env;
  const network = await networkOptions({ proxy, 'ca-file': caFile, keepalive: 'off' }, output);
  const reports = await examineEndpoint(readEndpoint(text), {
    ...{ network, machine: thisMachine(version, env), proxySetting: proxySettingOf(proxy, []) },
    ...{ clock: systemClock, dns: systemDns(), signal: interruptSignal() },
  });
  const proofs = reports.map(viewOfProof);
  return { endpoint: text, passed: exitStatusOf(reports) === 0, proofs };
}

function present(
  report: TestReport | (EndpointReport & { from: string }),
  { output, json, passed }: { output: Output; json: boolean; passed: string },
): number {
  const proofs = report.proofs.map(proofOfView);
  const exitStatus = exitStatusOf(proofs);
  if (json) {
    output.json({ ...report, exitStatus });
    return exitStatus;
  }
  for (const proof of proofs) printProof(output, proof, process.stdout.isTTY);
  if (!sayFailure(output, proofs)) output.say(`\n${output.paint.green(passed)}`);
  return exitStatus;
}

function readEndpoint(text: string): ReturnType<typeof parseEndpoint> {
  try {
    return parseEndpoint(text);
  } catch (error) {
    if (!(error instanceof HcmError)) throw error;
    throw new HcmError('HCM_USAGE', `"${text}" is neither a connection nor an address to test.`, {
      cause: error,
      details: { next: 'Write NAMESPACE/NAME, HOST:PORT, or NAMESPACE.servicebus.windows.net' },
    });
  }
}

function withoutManager(error: unknown, name: string): unknown {
  if (!(error instanceof HcmError) || error.code !== 'HCM_NOT_RUNNING') return error;
  const { code, message, details } = error;
  return new HcmError(code, message, { details: { ...details, next: `hcm doctor ${name}` } });
}
