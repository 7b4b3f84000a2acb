import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestCounts {
  readonly passed: number;
  /** Failed tests, and files that could not be run at all. */
  readonly failed: number;
  readonly skipped: number;
  /** Of jest: 0, or what it ended with. */
  readonly exitCode: number;
}

/** Runs jest with its usual output; no matching test is a run of zero tests. */
export async function runJest(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  output: 'inherit' | 'ignore' = 'inherit',
): Promise<TestCounts> {
  const folder = await mkdtemp(join(tmpdir(), 'spanloom-jest-'));
  const file = join(folder, 'counts.json');
  try {
    const exitCode = await jest([...args, '--passWithNoTests'], { ...env, SPANLOOM_TEST_COUNTS: file }, output);
    const counts = countsOf(await readFile(file, 'utf8').catch(() => '{}'));
    // A jest that died without results has failed, whatever it counted.
    return { ...counts, failed: exitCode !== 0 && counts.failed === 0 ? 1 : counts.failed, exitCode };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether a project has a test for these arguments, so that no server is started for none. */
export async function someTestMatches(project: string, args: readonly string[]): Promise<boolean> {
  let listed = '';
  const listTests = ['--selectProjects', project, '--listTests', '--passWithNoTests', ...args];
  await jest(listTests, process.env, (text) => {
    listed += text;
  });
  return listed.split('\n').some((line) => line.endsWith('.ts'));
}

export function addCounts(runs: readonly TestCounts[]): TestCounts {
  return runs.reduce(
    (sum, run) => ({
      passed: sum.passed + run.passed,
      failed: sum.failed + run.failed,
      skipped: sum.skipped + run.skipped,
      exitCode: sum.exitCode || run.exitCode,
    }),
    { passed: 0, failed: 0, skipped: 0, exitCode: 0 },
  );
}

export function summaryLine({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Ends a jest that is running; a test run that is stopped early must leave nothing behind. */
export function endJest(): void {
  running?.kill('SIGTERM');
}

let running: ChildProcess | undefined;

function jest(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  output: 'inherit' | 'ignore' | ((text: string) => void),
): Promise<number> {
  const command = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', ...args];
  return new Promise((resolve, reject) => {
    const toRead = typeof output === 'function' ? output : undefined;
    const show = typeof output === 'function' ? 'ignore' : output;
    const child = spawn(process.execPath, command, { env, stdio: ['ignore', toRead ? 'pipe' : show, show] });
    running = child;
    child.stdout?.on('data', (bytes: Buffer) => toRead?.(bytes.toString()));
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function countsOf(json: string): Omit<TestCounts, 'exitCode'> {
  const { passed = 0, failed = 0, skipped = 0 } = JSON.parse(json) as Partial<TestCounts>;
  return { passed, failed, skipped };
}
