import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isAlive } from '../../../../test/support/is-alive.ts';

const GUARD = join(import.meta.dirname, 'guard.ts');

describe('the guard of the servers', () => {
  let work: string;
  let temporary: string;

  beforeEach(async () => {
    work = await mkdtemp(join(tmpdir(), 'spanloom-guard-test-'));
    temporary = join(work, 'data of the stack');
  });
  afterEach(() => rm(work, { recursive: true, force: true }));

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'ends the server and deletes its data after %s',
    async (signal) => {
      const { owner, serverPid } = await startOwner({ graceMs: 0 });
      expect(isAlive(serverPid)).toBe(true);
      owner.kill(signal);
      await waitFor(() => !isAlive(serverPid));
      await waitFor(() => !existsSync(temporary));
    },
  );

  it('ends the server after an uncaught error and after a normal end of the program', async () => {
    for (const ending of ["throw new Error('uncaught')", 'process.exit(0)']) {
      const { serverPid } = await startOwner({ graceMs: 0, ending });
      await waitFor(() => !isAlive(serverPid));
    }
  });

  it('gives a server with data to keep the time to close it', async () => {
    // This server notes that it was asked to stop; SIGKILL would leave no note.
    const note = join(work, 'closed in order');
    const server = `trap 'echo yes > "${note}"; exit 0' TERM; while :; do sleep 0.05; done`;
    const { owner, serverPid } = await startOwner({ graceMs: 5_000, server });
    owner.kill('SIGKILL');
    await waitFor(() => !isAlive(serverPid));
    expect(existsSync(note)).toBe(true);
  });

  it('kills a server that does not react, once the time is over', async () => {
    const { owner, serverPid } = await startOwner({
      graceMs: 300,
      server: "trap '' TERM; while :; do sleep 0.05; done",
    });
    owner.kill('SIGKILL');
    await waitFor(() => !isAlive(serverPid));
  });

  it('runs the command that ends servers elsewhere', async () => {
    const note = join(work, 'command has run');
    const { owner } = await startOwner({ graceMs: 0, command: ['touch', note] });
    owner.kill('SIGKILL');
    await waitFor(() => existsSync(note));
  });

  it('leaves servers and data alone once it is released', async () => {
    const { owner, serverPid } = await startOwner({ graceMs: 0, ending: 'guard.release()' });
    await delay(200);
    owner.kill('SIGKILL');
    await delay(300);
    expect(isAlive(serverPid)).toBe(true);
    expect(existsSync(temporary)).toBe(true);
    process.kill(serverPid, 'SIGKILL');
  });

  /** A program of its own, with a guard and a server, because it must die. */
  async function startOwner(options: { graceMs: number; server?: string; ending?: string; command?: string[] }) {
    const program = join(work, 'owner.ts');
    await writeFile(
      program,
      `import { spawn } from 'node:child_process';
       import { mkdirSync } from 'node:fs';
       import { startGuard } from ${JSON.stringify(GUARD)};
       mkdirSync(${JSON.stringify(temporary)}, { recursive: true });
       const guard = startGuard(${JSON.stringify({ graceMs: options.graceMs, deleteDir: temporary, command: options.command })});
       const server = ${JSON.stringify(options.server ?? 'while :; do sleep 0.05; done')};
       const child = spawn('/bin/sh', ['-c', server], { detached: true, stdio: 'ignore' });
       guard.watch(child);
       setTimeout(() => {}, 60_000);
       setTimeout(() => { process.stdout.write(child.pid + '\\n'); ${options.ending ?? ''} }, 100);`,
    );
    const owner = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = (await once(createInterface(owner.stdout), 'line')) as [string];
    return { owner, serverPid: Number(line) };
  }
});

async function waitFor(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 4_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('It did not happen within 4 s');
    await delay(20);
  }
}
