import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPageFile } from '../../../../src/manager/web/page-files.ts';

describe('the files of the page', () => {
  let root: string;
  let folder: string;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'hcm-page-'));
    folder = join(root, 'dashboard');
    await mkdir(join(folder, 'assets'), { recursive: true });
    await writeFile(join(root, 'secrets.json'), 'secret');
    await writeFile(join(folder, 'index.html'), '<!doctype html>');
    await writeFile(join(folder, 'favicon.svg'), '<svg/>');
    await writeFile(join(folder, 'assets', 'index-B1x_-2yZ.js'), 'hello');
    await writeFile(join(folder, 'assets', 'index-B1x_-2yZ.js.map'), 'map');
    await writeFile(join(folder, 'assets', 'logo.png'), 'png');
    await symlink(join(root, 'secrets.json'), join(folder, 'linked.json'));
  });
  after(() => rm(root, { recursive: true, force: true }));

  it('have types by their names, and only hashed names never change', async () => {
    const rows = [];
    for (const path of [
      '/',
      '/index.html',
      '/favicon.svg',
      '/assets/index-B1x_-2yZ.js',
      '/assets/logo.png',
    ]) {
      const file = await loadPageFile(folder, path);
      rows.push([path, file?.type, file?.isImmutable]);
    }
    assert.deepEqual(rows, [
      ['/', 'text/html; charset=utf-8', false],
      ['/index.html', 'text/html; charset=utf-8', false],
      ['/favicon.svg', 'image/svg+xml', false],
      ['/assets/index-B1x_-2yZ.js', 'text/javascript; charset=utf-8', true],
      ['/assets/logo.png', 'image/png', false],
    ]);
  });

  it('have a tag that changes with the content', async () => {
    const before = await loadPageFile(folder, '/favicon.svg');
    await writeFile(join(folder, 'favicon.svg'), '<svg></svg>');
    const after = await loadPageFile(folder, '/favicon.svg');
    assert.match(before?.etag ?? '', /^"[\w-]{22}"$/);
    assert.notEqual(before?.etag, after?.etag);
  });

  const NONE = [
    '/none.js',
    '/assets',
    '/assets/',
    '//index.html',
    '/./index.html',
    '/../secrets.json',
    '/assets/../../secrets.json',
    '/..%2fsecrets.json',
    '/%2e%2e/secrets.json',
    '/..\\secrets.json',
    '/linked.json',
    '/index.html\0',
    '/assets/index-B1x_-2yZ.js.map',
    'index.html',
    '',
  ];
  for (const path of NONE) {
    it(`there is no ${JSON.stringify(path)}`, async () =>
      assert.equal(await loadPageFile(folder, path), undefined));
  }

  it('are none where nothing was built', async () => {
    assert.equal(await loadPageFile(join(root, 'nothing'), '/'), undefined);
  });
});
