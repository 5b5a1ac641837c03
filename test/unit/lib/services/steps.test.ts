import assert from 'node:assert/strict';
import { Steps } from '../../../../src/lib/services/steps.ts';
import { HcmError } from '../../../../src/protocol/errors.ts';

const FIRST = { doing: 'creating a', done: 'created a' };
const SECOND = { doing: 'creating b', done: 'created b' };

function start(signal?: AbortSignal) {
  const reports: string[] = [];
  return { reports, steps: new Steps({ report: (text) => void reports.push(text), signal }) };
}

async function errorOf(promise: Promise<unknown>): Promise<HcmError> {
  const error = await promise.catch((caught: unknown) => caught);
  assert.ok(error instanceof HcmError, String(error));
  return error;
}

const fail = (error: Error) => () => Promise.reject(error);

describe('steps', () => {
  it('are reported, counted, and give what they give', async () => {
    const { steps, reports } = start();
    assert.equal(await steps.run(FIRST, () => Promise.resolve(5)), 5);
    await steps.run({ doing: 'looking' }, () => Promise.resolve());
    assert.deepEqual([reports, steps.count], [['creating a', 'looking'], 1]);
  });

  it('that fail first change nothing about their error', async () => {
    const { steps } = start();
    const failure = new HcmError('HCM_AZURE_FORBIDDEN', 'No.');
    assert.equal(await errorOf(steps.run(FIRST, fail(failure))), failure);
  });

  it('that fail later tell what was done, with code and details as they were', async () => {
    const { steps } = start();
    await steps.run(FIRST, () => Promise.resolve());
    const failure = new HcmError('HCM_AZURE_FORBIDDEN', 'No.', { details: { status: 403 } });
    const error = await errorOf(steps.guard(() => steps.run(SECOND, fail(failure))));
    assert.equal(error.message, 'No. Done before that: created a. The same command goes on from there.');
    assert.deepEqual([error.code, error.details], ['HCM_AZURE_FORBIDDEN', { status: 403, stepsDone: 1 }]);
  });

  it('that Ctrl-C cuts may be done or not, and that is said', async () => {
    const controller = new AbortController();
    const { steps } = start(controller.signal);
    await steps.run(FIRST, () => Promise.resolve());
    const reason = new HcmError('HCM_INTERRUPTED', 'Interrupted.', { details: { signal: 'SIGINT' } });
    const cut = steps.run(SECOND, () => {
      controller.abort(reason);
      return Promise.reject(reason);
    });
    const { message, details } = await errorOf(cut);
    assert.equal(
      message,
      'Interrupted while creating b, which may be done or not. Done before that: created a. The same command goes on from there.',
    );
    assert.equal(details['signal'], 'SIGINT');
  });

  it('do not begin after Ctrl-C', async () => {
    const reason = new HcmError('HCM_INTERRUPTED', 'Interrupted.');
    const { steps, reports } = start(AbortSignal.abort(reason));
    let began = false;
    const act = () => {
      began = true;
      return Promise.resolve();
    };
    assert.equal(await errorOf(steps.run(FIRST, act)), reason);
    assert.deepEqual([began, reports], [false, []]);
  });

  it('leave a bug alone', async () => {
    const { steps } = start();
    await steps.run(FIRST, () => Promise.resolve());
    const bug = new TypeError('x');
    assert.equal(await steps.run(SECOND, fail(bug)).catch((caught: unknown) => caught), bug);
  });
});
