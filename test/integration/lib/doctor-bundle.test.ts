// The bundle for support: what is in it, that no secret is, and that it overwrites nothing.
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { bundleFiles, writeBundle, type BundleContents } from '../../../src/lib/services/doctor/bundle.ts';
import { secretsIn } from '../../../src/lib/services/doctor/secrets.ts';
import { signSasToken } from '../../../src/protocol/sas-token.ts';
import { DoctorBed } from '../../helpers/doctor-bed.ts';
import { rejectsWith } from '../../helpers/tunnel.ts';

const KEY = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0ISE=';
const STRING = `Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=${KEY};EntityPath=db`;
const TOKEN = signSasToken({
  resource: 'http://ns/db/',
  keyName: 'send',
  key: KEY,
  expiresAtMs: 1_900_000_000_000,
});
const SIGNATURE = /sig=([^&]+)/.exec(TOKEN)?.[1] ?? '';
const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL3JlbGF5LmF6dXJlLm5ldC8ifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ';
/** No pattern would see these: only what the run knows of itself. */
const [PASSWORD, CLIENT_SECRET, FILE_PASSWORD] = ['pr0xy:p@ss/word', 'c1ient~s3cret', 'fr0m-a-file'];

describe('the bundle of hcm doctor', () => {
  let bed: DoctorBed;
  beforeEach(async () => (bed = await DoctorBed.make()));
  afterEach(() => bed.remove());

  const contents = (): BundleContents => ({
    // Worst case: every secret stands in every place that there is.
    report: { proofs: [{ seen: `${STRING} ${TOKEN} ${JWT} ${PASSWORD}`, facts: { secret: CLIENT_SECRET } }] },
    text: `407 for me:${PASSWORD} and ${FILE_PASSWORD}\n${KEY}`,
    system: { node: 'v22', argv: STRING },
    env: {
      HCM_CONNECTION_STRING: STRING,
      HTTPS_PROXY: `http://me-myself:${encodeURIComponent(PASSWORD)}@proxy.corp:3128`,
      AZURE_CLIENT_SECRET: CLIENT_SECRET,
      NO_PROXY: '.corp.local',
      HOME: '/home/somebody',
    },
    config: {
      'hcm.yaml': `password: ${FILE_PASSWORD}\nkey: ${KEY}\n`,
      'clouds.json': JSON.stringify({ a: PASSWORD }),
    },
    stateFiles: ['600      241 ca/ca-key.pem'],
  });

  async function written(): Promise<Map<string, string>> {
    const path = join(bed.directory, 'support.zip');
    const given = contents();
    await writeBundle(path, bundleFiles(given, secretsIn([STRING, `${FILE_PASSWORD}\n`], given.env)));
    const files = unzipSync(await readFile(path));
    return new Map(Object.entries(files).map(([name, bytes]) => [name, strFromU8(bytes)]));
  }

  it('holds no key, signature, token or password in any of its files', async () => {
    const secrets = {
      ...{ KEY, SIGNATURE, JWT, PASSWORD, CLIENT_SECRET, FILE_PASSWORD, STRING, TOKEN },
      escaped: encodeURIComponent(PASSWORD),
      user: 'me-myself',
    };
    const leaks = [...(await written())].flatMap(([file, text]) =>
      Object.entries(secrets).flatMap(([name, secret]) =>
        text.includes(secret) ? [`${name} in ${file}`] : [],
      ),
    );
    assert.deepEqual(leaks, []);
  });

  it('has the report twice, the versions, the environment by name, and the configuration', async () => {
    const files = await written();
    assert.deepEqual([...files.keys()].sort(), [
      'config/clouds.json',
      'config/hcm.yaml',
      'environment.txt',
      'report.json',
      'report.txt',
      'state-files.txt',
      'system.json',
    ]);
    assert.deepEqual(files.get('environment.txt')?.trim().split('\n'), [
      'AZURE_CLIENT_SECRET is set',
      'HCM_CONNECTION_STRING is set',
      'HTTPS_PROXY=http://***@proxy.corp:3128',
      'NO_PROXY=.corp.local',
    ]);
    assert.ok(JSON.parse(files.get('report.json') ?? ''));
  });

  it('overwrites nothing', async () => {
    const path = join(bed.directory, 'support.zip');
    await writeFile(path, 'mine');
    const error = await rejectsWith(writeBundle(path, { a: 'b' }), 'HCM_USAGE');
    assert.match(error.message, /exists; a bundle overwrites nothing/);
    assert.equal(await readFile(path, 'utf8'), 'mine');
  });

  it('a folder that is not there is said', async () => {
    await rejectsWith(writeBundle(join(bed.directory, 'none', 'support.zip'), { a: 'b' }), 'HCM_USAGE');
  });

  if (process.platform !== 'win32') {
    it('is for its owner alone', async () => {
      const path = join(bed.directory, 'support.zip');
      await writeBundle(path, { a: 'b' });
      assert.equal((await stat(path)).mode & 0o777, 0o600);
    });
  }
});
