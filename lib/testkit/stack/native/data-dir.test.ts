import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openDataDir } from './data-dir.ts';

describe('the folder for the servers’ data', () => {
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'spanloom-data-test-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('is temporary by default and deleted when it is closed', async () => {
    const data = await openDataDir(undefined);
    await writeFile(join(data.dir, 'file'), 'x');
    expect(data.keeps).toBe(false);
    await data.close();
    expect(existsSync(data.dir)).toBe(false);
  });

  it('belongs to one stack at a time, and is kept', async () => {
    const first = await openDataDir(dir);
    await expect(openDataDir(dir)).rejects.toMatchObject({ code: 'STACK_DATA_IN_USE' });
    await first.close();
    const second = await openDataDir(dir);
    expect(second.keeps).toBe(true);
    await second.close();
    expect(existsSync(dir)).toBe(true);
  });

  it('waits until the servers of a killed run are gone', async () => {
    const first = await openDataDir(dir);
    const leftover = spawn('/bin/sleep', ['0.6'], { cwd: dir });
    await first.note('kafka', leftover.pid ?? 0);
    const notes = join(dir, 'servers.json');
    expect(existsSync(notes)).toBe(true);
    // close() would remove the note; a killed run leaves it behind, as this does.
    await first.close();
    await writeFile(notes, JSON.stringify({ kafka: leftover.pid }));
    const second = await openDataDir(dir);
    expect(leftover.exitCode).toBe(0);
    await second.close();
  });

  it('does not wait for a process that only has the number of an earlier server', async () => {
    await writeFile(join(dir, 'servers.json'), JSON.stringify({ kafka: process.pid }));
    const data = await openDataDir(dir);
    await data.close();
  });
});
