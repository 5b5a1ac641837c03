// Mocha's spec reporter, which also appends {"passed","failed","pending"} as one JSON line to the file that
// MOCHA_COUNTS_FILE names, so that .ci/run can add up several runs without reading output meant for people.
import { appendFileSync } from 'node:fs';
import Mocha from 'mocha';

export default class CountReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once('end', () => {
      const { passes: passed, failures: failed, pending } = this.stats;
      appendFileSync(process.env.MOCHA_COUNTS_FILE, `${JSON.stringify({ passed, failed, pending })}\n`);
    });
  }
}
