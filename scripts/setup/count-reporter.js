import { writeFileSync } from 'node:fs';

/** A jest reporter that leaves the counts of a run in the file that SPANLOOM_TEST_COUNTS names, for the closing line of `npm test`. */
export default class CountReporter {
  onRunComplete(_contexts, results) {
    const counts = {
      passed: results.numPassedTests,
      // A file that cannot be run at all counts as one failure.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    const file = process.env.SPANLOOM_TEST_COUNTS;
    if (file) writeFileSync(file, JSON.stringify(counts));
  }
}
