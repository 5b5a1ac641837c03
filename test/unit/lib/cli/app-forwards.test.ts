import assert from 'node:assert/strict';
import { appForwards, hostsLines } from '../../../../src/lib/cli/app-forwards.ts';
import { formatBind } from '../../../../src/protocol/target.ts';

const connection = (path: string) => ({ endpoint: { host: 'r.servicebus.windows.net', port: 443 }, path });
const DB = { host: 'db.corp.local', port: 5432 };
const SQL = { host: 'sql.corp.local', port: 1433 };

describe('what forward --app binds', () => {
  it('an address of its own and the port of the target, for each connection', () => {
    const forwards = appForwards([
      { connection: connection('db'), target: DB },
      { connection: connection('sql'), target: SQL },
      { connection: connection('six'), target: { host: 'fd00::1', port: 5432 } },
    ]);
    assert.deepEqual(
      forwards.map(({ bind, target }) => [formatBind(bind), target]),
      [
        ['127.0.0.2:5432', 'db.corp.local:5432'],
        ['127.0.0.3:1433', 'sql.corp.local:1433'],
        ['127.0.0.4:5432', '[fd00::1]:5432'],
      ],
    );
    assert.deepEqual(forwards[1]?.otherwise?.map(formatBind), ['127.0.0.3:0', '127.0.0.1:0']);
  });

  it('lines for the hosts file, where the port is the one of the target', () => {
    const lines = (targets: (typeof DB)[], binds: string[]) => hostsLines(targets, binds).slice(2);
    assert.deepEqual(lines([DB, SQL], ['127.0.0.2:5432', '127.0.0.3:1433']), [
      '  127.0.0.2  db.corp.local',
      '  127.0.0.3  sql.corp.local',
    ]);
    assert.deepEqual(lines([DB, SQL], ['127.0.0.2:40001', '127.0.0.3:1433']), [
      '  127.0.0.3  sql.corp.local',
    ]);
    assert.deepEqual(lines([DB, { ...DB, port: 22 }], ['127.0.0.2:5432', '127.0.0.3:22']), [
      '  127.0.0.2  db.corp.local',
    ]);
    for (const host of ['10.0.0.1', 'fd00::1', 'localhost'])
      assert.deepEqual(hostsLines([{ host, port: 80 }], ['127.0.0.2:80']), [], host);
  });
});
