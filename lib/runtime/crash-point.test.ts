import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseCrashAt } from './crash-point.ts';

describe('CRASH_AT', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['before-commit', { name: 'before-commit', passesLeft: 1, signal: 'SIGKILL' }],
    ['before-commit:3', { name: 'before-commit', passesLeft: 3, signal: 'SIGKILL' }],
    ['before-commit:3:SIGSTOP', { name: 'before-commit', passesLeft: 3, signal: 'SIGSTOP' }],
  ])('%s', (text, expected) => {
    expect(parseCrashAt(text)).toEqual(expected);
  });

  it.each(['before-commit:0', 'before-commit:x', ':1', 'a:1:SIGTERM'])('%s is refused', (text) => {
    expect(() => parseCrashAt(text)).toThrow(/CRASH_AT is/);
  });

  it('kills at the nth pass, before anything else is done', async () => {
    const { output, signal } = await run('here:2');
    expect({ output, signal }).toEqual({ output: 'other 1 here 1 other 2 ', signal: 'SIGKILL' });
  });

  it('lets a process that it stopped go on, once', async () => {
    const { output, signal } = await run('here:2:SIGSTOP', 'other 2');
    expect({ output, signal }).toEqual({ output: 'other 1 here 1 other 2 here 2 other 3 here 3 ', signal: null });
  });
});

const PROGRAM = `
  import { writeSync } from 'node:fs';
  import { crashPoint } from ${JSON.stringify(path.join(import.meta.dirname, 'crash-point.ts'))};
  for (let i = 1; i <= 3; i++)
    for (const name of ['other', 'here']) {
      crashPoint(name);
      writeSync(1, name + ' ' + i + ' ');
    }`;

/** @param wakeAfter sends SIGCONT once the output ends like this and the process stands still. */
async function run(crashAt: string, wakeAfter?: string): Promise<{ output: string; signal: NodeJS.Signals | null }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    env: { ...process.env, CRASH_AT: crashAt },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  const wake = setInterval(() => {
    if (wakeAfter !== undefined && output.trimEnd().endsWith(wakeAfter)) child.kill('SIGCONT');
  }, 300);
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearInterval(wake);
  return { output, signal };
}
