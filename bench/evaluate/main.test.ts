import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from '@jest/globals';

const MAIN = path.join(import.meta.dirname, 'main.ts');

it.each([
  [['--parts', 'cause'], /'--parts'.*--help/],
  [['--part', 'both'], /--part is detector or cause, not 'both'/],
  [['--seed', 'x'], /--seed/],
  [['cause'], /cause/],
])('says what is wrong with %j and exits with 2', (args, sentence) => {
  const { status, stderr, stdout } = spawnSync(process.execPath, ['--no-warnings', MAIN, ...args], {
    encoding: 'utf8',
  });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(sentence);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});
