import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { confirm, type ConfirmOptions } from '../../../../src/lib/cli/confirm.ts';
import { Output } from '../../../../src/lib/cli/output.ts';
import type { HcmError } from '../../../../src/protocol/errors.ts';

function options(given: Partial<ConfirmOptions>): ConfirmOptions {
  const output = new Output({ stdout: new PassThrough(), stderr: new PassThrough(), env: {} });
  const ask = () => Promise.reject(new Error('nobody should be asked'));
  return { yes: false, json: false, noInput: false, output, ask, ...given };
}

describe('the question before something is destroyed', () => {
  it('is answered by --yes', () => confirm('Delete?', options({ yes: true, interactive: false })));

  it('is not asked where nobody is: HCM_CONFIRMATION_NEEDED, with the question', async () => {
    for (const unattended of [{ json: true }, { noInput: true }, { interactive: false }]) {
      await assert.rejects(confirm('Delete x?', options(unattended)), (error: HcmError) => {
        assert.equal(error.code, 'HCM_CONFIRMATION_NEEDED');
        return error.message.includes('Delete x?');
      });
    }
  });

  it('goes on after a yes, and stops after a no', async () => {
    const asked: string[] = [];
    const answering = (yes: boolean) => (question: string) => {
      asked.push(question);
      return Promise.resolve(yes);
    };
    await confirm('Delete x?', options({ interactive: true, ask: answering(true) }));
    await assert.rejects(
      confirm('Delete y?', options({ interactive: true, ask: answering(false) })),
      (error: HcmError) => error.code === 'HCM_INTERRUPTED',
    );
    assert.deepEqual(asked, ['Delete x?', 'Delete y?']);
  });
});
