import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Guard, startGuard } from './guard.ts';
import { endOfFile, ServerProcess } from './server-process.ts';

describe('a server process', () => {
  let dir: string;
  let guard: Guard;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'spanloom-server-test-'));
    guard = startGuard({ graceMs: 0 });
  });
  afterEach(async () => {
    guard.release();
    await rm(dir, { recursive: true, force: true });
  });

  it('that ends while it starts is reported with the end of its log', async () => {
    const server = start('echo starting; echo "cannot bind port" >&2; exit 3');
    await expect(server.waitUntilReady(async () => false, 5_000)).rejects.toMatchObject({
      code: 'STACK_SERVER_FAILED',
      message: 'Testserver ended while it started (exit code 3). The end of its log:\nstarting\ncannot bind port',
    });
  });

  it('that is never ready is reported after the time-out, and can still be stopped', async () => {
    const server = start('echo waiting; sleep 60');
    await expect(server.waitUntilReady(async () => false, 300)).rejects.toThrow(/Testserver was not ready after 0.3 s/);
    await server.stop(0);
    expect(await server.exited).toBe('signal SIGKILL');
  });

  it('that cannot be started at all says so', async () => {
    const command = join(dir, 'no-such-program');
    const server = new ServerProcess(
      { name: 'Testserver', command, args: [], cwd: dir, logFile: join(dir, 'log') },
      guard,
    );
    await expect(server.waitUntilReady(async () => false, 5_000)).rejects.toThrow(/ENOENT/);
  });

  it('is asked before it is killed', async () => {
    const server = start('trap "echo closed; exit 0" TERM; echo up; while :; do sleep 0.05; done');
    await server.waitUntilReady(async () => (await endOfFile(join(dir, 'log'))) === 'up', 5_000);
    await server.stop(5_000);
    expect(await server.exited).toBe('exit code 0');
    expect(await readFile(join(dir, 'log'), 'utf8')).toBe('up\nclosed\n');
  });

  it('runs the same command again once it has ended, and waits until it is ready as before', async () => {
    const server = start('echo up >> lives; while :; do sleep 0.05; done');
    const lives = async () => (await readFile(join(dir, 'lives'), 'utf8').catch(() => '')).split('up').length - 1;
    let wanted = 1;
    await server.waitUntilReady(async () => (await lives()) === wanted, 5_000);
    const { pid } = server;
    await server.stop(0);
    expect(server.wasStopped).toBe(true);
    wanted = 2;
    await server.startAgain();
    expect(await lives()).toBe(2);
    expect(server.pid).not.toBe(pid);
    expect(server.wasStopped).toBe(false);
    await server.stop(0);
  });

  function start(script: string): ServerProcess {
    const shell = { name: 'Testserver', command: '/bin/sh', args: ['-c', script] };
    return new ServerProcess({ ...shell, cwd: dir, logFile: join(dir, 'log') }, guard);
  }

  it('shows whole lines only, at most the last 2 000 bytes', async () => {
    const file = join(dir, 'long');
    await writeFile(file, Array.from({ length: 500 }, (_, i) => `line ${i}`).join('\n'));
    const tail = await endOfFile(file);
    expect(tail.length).toBeLessThanOrEqual(2_000);
    expect(tail).toMatch(/^line \d+\n(?:line \d+\n)*line 499$/);
    expect(await endOfFile(join(dir, 'missing'))).toBe('');
  });
});
