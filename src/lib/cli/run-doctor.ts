/** Runs a diagnosis in front of somebody: progress, a line for each proof, the verdict, and the bundle for support. */
import { access, constants, readdir, stat } from 'node:fs/promises';
import { arch, cpus, release, totalmem, type as osType, version as osVersion } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import type { ControlClient } from '../../manager/control/control-client.ts';
import type { TestReport } from '../../manager/control/operations.ts';
import { loadText } from '../config/json-file.ts';
import { bundleError, bundleFiles, writeBundle } from '../services/doctor/bundle.ts';
import { examine, examined } from '../services/doctor/examine.ts';
import { proofOfView } from '../services/doctor/proof-view.ts';
import type { ProofReport } from '../services/doctor/report.ts';
import type { Scene } from '../services/doctor/scene.ts';
import { secretsIn } from '../services/doctor/secrets.ts';
import {
  allProofs,
  diagnosisJson,
  exitStatusOf,
  managedHeading,
  printProof,
  proofLines,
  sayVerdict,
  type Diagnosis,
} from './doctor-presenter.ts';
import { readInputFile } from './input-file.ts';
import { managerFiles, managerProof, testAll } from './manager/doctor-manager.ts';
import type { Output } from './output.ts';

export interface DoctorRun {
  scene: Scene;
  output: Output;
  json: boolean;
  /** Where the bundle goes. */
  bundle: string | undefined;
  /** The manager whose connections are examined where none is named, and where its log lies. */
  manager: { client: ControlClient; logFolder: string };
  /** Files that hold secrets, so that none of these gets into the bundle. */
  secretFiles: readonly string[];
}

/** Files of the state folder without a secret or a person in them; and the declaration in the working folder. */
const STATE_CONFIG = ['clouds.json'];
const DECLARATION = 'hcm.yaml';
const MAX_STATE_FILES = 1_000;

/** Resolves with the exit status: that of the first proof that failed. */
export async function runDoctor(run: DoctorRun): Promise<number> {
  const { scene, output, json, bundle } = run;
  if (bundle !== undefined) await checkPlace(bundle);
  const isTerminal = process.stderr.isTTY;
  const proofs = await examine(scene, {
    onBegin: ({ doing }) => isTerminal && output.progress(doing),
    onReport: (report) => !json && printProof(output, report, process.stdout.isTTY),
  }).finally(() => output.wipeProgress());
  const managed = examined(scene) === undefined ? await examineManager(run, proofs) : undefined;
  const diagnosis: Diagnosis = {
    connection: examined(scene),
    hcmVersion: scene.machine.hcmVersion,
    time: new Date(scene.clock.nowMs()).toISOString(),
    ...{ proofs, managed },
  };
  const document = diagnosisJson(diagnosis);
  if (bundle !== undefined) await bundleUp(bundle, run, diagnosis, document);
  if (json) output.json({ ...document, ...(bundle === undefined ? {} : { bundle }) });
  else sayVerdict(output, diagnosis);
  if (bundle !== undefined) output.say(`For support, without secrets: ${bundle}`);
  return exitStatusOf(allProofs(diagnosis));
}

/** Undefined where none runs, or none can be asked; a proof says so then. */
async function examineManager(
  { manager: { client }, output, json }: DoctorRun,
  proofs: ProofReport[],
): Promise<TestReport[] | undefined> {
  const proof = await managerProof(client);
  if (proof === undefined) return undefined;
  proofs.push(proof);
  if (!json) printProof(output, proof, process.stdout.isTTY);
  if (proof.result === 'failed') return undefined;
  const isTerminal = process.stderr.isTTY;
  const managed = await testAll(client, (name) => isTerminal && output.progress(`testing ${name}`)).finally(
    () => output.wipeProgress(),
  );
  if (json) return managed;
  for (const report of managed) {
    output.answer(managedHeading(report));
    for (const view of report.proofs) printProof(output, proofOfView(view), process.stdout.isTTY);
  }
  return managed;
}

/** Before a minute of proofs, not after it. @throws HcmError HCM_USAGE. */
async function checkPlace(path: string): Promise<void> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  if (isThere) throw bundleError(path, Object.assign(new Error('it exists'), { code: 'EEXIST' }));
  await access(dirname(resolve(path)), constants.W_OK).catch((error: Error) => {
    throw bundleError(path, error);
  });
}

async function bundleUp(
  path: string,
  { scene, output, secretFiles, manager }: DoctorRun,
  diagnosis: Diagnosis,
  report: object,
): Promise<void> {
  const { env, stateDirectory } = scene.machine;
  const known = await Promise.all(
    secretFiles.filter((file) => file !== '-').map((file) => readInputFile(file).catch(() => '')),
  );
  const files = bundleFiles(
    {
      ...{ report, env, system: systemFacts(scene) },
      text: allProofs(diagnosis)
        .flatMap((proof) => proofLines(proof, (next) => output.inSameCloud(next)))
        .join('\n'),
      manager: await managerFiles(manager.client, manager.logFolder),
      config: await configFiles(stateDirectory),
      stateFiles: await listState(stateDirectory),
    },
    secretsIn(known, env),
  );
  await writeBundle(path, files);
}

function systemFacts({ machine, clock }: Scene): Record<string, unknown> {
  const { nodeVersion, hcmVersion, platform } = machine;
  return {
    ...{ hcmVersion, nodeVersion, platform },
    versions: process.versions,
    os: { type: osType(), release: release(), version: osVersion(), arch: arch() },
    cpus: cpus().length,
    memoryBytes: totalmem(),
    time: new Date(clock.nowMs()).toISOString(),
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

async function configFiles(stateDirectory: string): Promise<Record<string, string>> {
  const paths = [...STATE_CONFIG.map((name) => join(stateDirectory, name)), resolve(DECLARATION)];
  const found = await Promise.all(
    paths.map(
      async (path) => [relative(dirname(path), path), await loadText(path).catch(() => undefined)] as const,
    ),
  );
  return Object.fromEntries(found.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])));
}

/** What is there and who may read it; what is in it stays there. */
async function listState(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true }).catch(() => []);
  return Promise.all(
    entries.slice(0, MAX_STATE_FILES).map(async (name) => {
      const found = await stat(join(directory, name)).catch(() => undefined);
      if (found === undefined) return `? ${name}`;
      return `${(found.mode & 0o777).toString(8)} ${String(found.size).padStart(8)} ${name}`;
    }),
  );
}

/**
 * `--bundle` alone takes a name of our own, made from the time: only what ends in `.zip` behind it is a name, so that
 * CONNECTION may follow.
 */
export function withBundleName(argv: readonly string[], now: Date): string[] {
  const stamp = now.toISOString().slice(0, 19).replaceAll(':', '-');
  return argv.flatMap((text, at) =>
    text === '--bundle' && !/\.zip$/i.test(argv[at + 1] ?? '') ? [text, `hcm-doctor-${stamp}.zip`] : [text],
  );
}
