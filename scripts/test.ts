/**
 * `npm test [-- jest arguments]`: unit tests and simulations, then the tests that need Kafka, Redis and S3, on one stack for the whole
 * run. `--unit` leaves the latter out; `--browser` runs only the tests of the console's page, which need Chromium; `--faults` takes the
 * whole fault table alone, of which a part is among the rest. Ends with the line `N passed, N failed`; exits as jest does.
 */
import { describeError } from '../lib/errors/spanloom-error.ts';
import { type Stack, stackEnvironment, startStack } from '../lib/testkit/stack/stack.ts';
import { browserEnvironment } from './setup/chromium.ts';
import { addCounts, endJest, runJest, someTestMatches, summaryLine, type TestCounts } from './setup/jest-run.ts';

const unitOnly = process.argv.includes('--unit');
const browserOnly = process.argv.includes('--browser');
const faultsOnly = process.argv.includes('--faults');
const otherArgs = process.argv.slice(2).filter((arg) => !['--unit', '--browser', '--faults'].includes(arg));
const jestArgs = faultsOnly ? ['test/faults/faults.test.ts', ...otherArgs] : otherArgs;
if (faultsOnly) process.env['SPANLOOM_FAULTS'] = 'all';
let stack: Stack | undefined;
let isStopping = false;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stopEarly);
// The launcher is gone; nobody waits for the result.
process.once('disconnect', stopEarly);
process.channel?.unref();

try {
  process.exitCode = await testRun();
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
} finally {
  await stack?.stop();
}
// Our own going is no reason to stop early.
process.off('disconnect', stopEarly);
process.disconnect?.();

async function testRun(): Promise<number> {
  const runs: TestCounts[] = [];
  const withoutServers = unitOnly ? ['unit'] : ['unit', 'simulation'];
  if (!browserOnly) {
    runs.push(await runJest(['--selectProjects', ...withoutServers, '--maxWorkers', '2', ...jestArgs], process.env));
  }
  if (!unitOnly && !isStopping && (await someTestMatches('browser', jestArgs))) {
    const env = await browserEnvironment((line) => process.stderr.write(`${line}\n`));
    runs.push(await runJest(['--selectProjects', 'browser', '--runInBand', ...jestArgs], { ...process.env, ...env }));
  }
  if (!unitOnly && !browserOnly && !isStopping && (await someTestMatches('stack', jestArgs))) {
    stack = await startStack({ docker: 'testcontainers', onProgress: (line) => process.stderr.write(`${line}\n`) });
    const env = { ...process.env, ...stackEnvironment(stack.addresses), SPANLOOM_TEST_STACK: stack.provider };
    runs.push(await runJest(['--selectProjects', 'stack', '--runInBand', ...jestArgs], env));
  }
  const total = addCounts(runs);
  process.stdout.write(`${summaryLine(total)}\n`);
  if (total.passed + total.failed + total.skipped === 0) {
    process.stderr.write('No test was found.\n');
    return 1;
  }
  return total.exitCode;
}

/** A second signal is the launcher's copy of the first. */
async function stopEarly(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  endJest();
  await stack?.stop();
  process.exit(130);
}
