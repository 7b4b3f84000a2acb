import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { addCounts, runJest, someTestMatches, summaryLine } from './jest-run.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('running jest and counting', () => {
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'spanloom-jest-test-'));
    const reporters = [join(ROOT, 'scripts/setup/count-reporter.js')];
    const config = { projects: [{ displayName: 'p', rootDir: dir, transform: {} }], reporters };
    await writeFile(join(dir, 'jest.json'), JSON.stringify(config));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('counts passed, failed, skipped and planned tests, and a file that cannot be run', async () => {
    await writeFile(join(dir, 'a.test.js'), "test('a', () => {}); test.skip('b', () => {}); test.todo('c');");
    await writeFile(join(dir, 'b.test.js'), "test('d', () => { throw new Error('fails'); }); test('e', () => {});");
    await writeFile(join(dir, 'c.test.js'), "throw new Error('cannot be loaded');");
    const counts = await run();
    expect(counts).toEqual({ passed: 2, failed: 2, skipped: 2, exitCode: 1 });
  });

  it('takes no test at all for a run of zero tests', async () => {
    expect(await run()).toEqual({ passed: 0, failed: 0, skipped: 0, exitCode: 0 });
    expect(await someTestMatches('p', ['--config', join(dir, 'jest.json')])).toBe(false);
  });

  it('never takes a jest that could not run for a success', async () => {
    await writeFile(join(dir, 'jest.json'), 'not JSON');
    const counts = await run();
    expect(counts).toMatchObject({ passed: 0, failed: 1 });
    expect(counts.exitCode).not.toBe(0);
  });

  it('sums over runs and keeps the exit code of one that failed', () => {
    const total = addCounts([
      { passed: 2, failed: 0, skipped: 1, exitCode: 0 },
      { passed: 3, failed: 1, skipped: 0, exitCode: 1 },
      { passed: 1, failed: 0, skipped: 0, exitCode: 0 },
    ]);
    expect(total).toEqual({ passed: 6, failed: 1, skipped: 1, exitCode: 1 });
    expect(summaryLine(total)).toBe('6 passed, 1 failed, 1 skipped');
    expect(summaryLine({ ...total, skipped: 0 })).toBe('6 passed, 1 failed');
  });

  function run() {
    return runJest(['--config', join(dir, 'jest.json'), '--silent'], process.env, 'ignore');
  }
});
