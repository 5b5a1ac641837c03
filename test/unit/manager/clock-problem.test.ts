import assert from 'node:assert/strict';
import { ClockProblem } from '../../../src/manager/clock-problem.ts';
import { ManagerProblems } from '../../../src/manager/manager-problems.ts';

const MINUTE_MS = 60_000;

describe('the clock as a problem of the manager', () => {
  let told: string[];
  let problems: ManagerProblems;
  let clock: ClockProblem;

  beforeEach(() => {
    told = [];
    problems = new ManagerProblems((about, { code }) => told.push(`${about} ${code}`));
    clock = new ClockProblem(problems);
  });

  const hear = (connection: string, minutes: number) =>
    clock.hear(`listen ${connection}`, {
      event: 'clock-skew',
      time: '',
      connection,
      skewMs: minutes * MINUTE_MS,
    });
  const texts = () => problems.all.map(({ message }) => message);

  it('says how far, in which direction, of which relay, and what to do', () => {
    hear('my-relay/db', -10);
    const [problem] = problems.all;
    assert.equal(problem?.code, 'HCM_CLOCK_SKEW');
    assert.match(problem.message, /10 minutes behind the relay's \(my-relay\)/);
    assert.match(problem.next ?? '', /timedatectl/);
    hear('other/db', 180);
    assert.match(texts()[1] ?? '', /3 hours ahead of the relay's \(other\)/);
  });

  it('is one problem however many hear it, and follows when it changes', () => {
    for (const name of ['a', 'b', 'c/d']) hear(`my-relay/${name}`, -10.1);
    assert.deepEqual([problems.all.length, told], [1, ['clock HCM_CLOCK_SKEW']]);
    hear('my-relay/b', 60);
    assert.match(texts().join(), /^The clock of this machine is 60 minutes ahead/);
    assert.equal(told.length, 2);
  });

  it('is over when one connection of the relay hears that it is right', () => {
    for (const name of ['my-relay/a', 'my-relay/b', 'other/a']) hear(name, -10);
    hear('my-relay/b', 0);
    assert.equal(problems.all.length, 1);
    assert.match(texts().join(), /other/);
  });

  it('is over when nobody is left who said so: what is opened anew says it again', () => {
    hear('my-relay/a', -10);
    hear('my-relay/b', -10);
    clock.forget(['listen my-relay/a', 'listen my-relay/c']);
    assert.equal(problems.all.length, 1);
    clock.forget(['listen my-relay/b']);
    assert.deepEqual(problems.all, []);
    hear('my-relay/a', -10);
    assert.equal(problems.all.length, 1);
  });

  it('hears nothing in other events', () => {
    clock.hear('listen my-relay/a', { event: 'connecting', time: '', connection: 'my-relay/a' });
    assert.deepEqual(problems.all, []);
  });
});
