import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SpanloomError } from '../../../errors/spanloom-error.ts';

export interface DataDir {
  readonly dir: string;
  readonly keeps: boolean;
  /** Remembers a server, so that a later start on the same folder can wait until it is gone. */
  note(service: string, pid: number): Promise<void>;
  /** Deletes a temporary folder, or gives a kept one free. */
  close(): Promise<void>;
}

/**
 * A temporary folder, or the given one, for this process alone.
 * @throws SpanloomError STACK_DATA_IN_USE when another process runs a stack on it.
 */
export async function openDataDir(given: string | undefined): Promise<DataDir> {
  if (given === undefined) {
    const dir = await mkdtemp(join(tmpdir(), 'spanloom-stack-'));
    return {
      dir,
      keeps: false,
      note: async () => {},
      close: () => rm(dir, { recursive: true, force: true, maxRetries: 3 }),
    };
  }
  await mkdir(given, { recursive: true });
  const dir = await realpath(given);
  const lock = await lockFolder(dir);
  const notes = join(dir, 'servers.json');
  await waitForLeftovers(dir, notes);
  const pids: Record<string, number> = {};
  return {
    dir,
    keeps: true,
    note: async (service, pid) => {
      pids[service] = pid;
      await writeFile(notes, `${JSON.stringify(pids)}\n`);
    },
    close: async () => {
      await rm(notes, { force: true });
      await new Promise((resolve) => lock.close(resolve));
    },
  };
}

/**
 * A socket that only this process listens on: unlike a file with a process id it cannot outlive its owner. It lies in
 * the folder for temporary files, because a socket's path may have no more than 107 characters.
 */
async function lockFolder(dir: string): Promise<Server> {
  const path = join(tmpdir(), `spanloom-${createHash('sha256').update(dir).digest('hex').slice(0, 16)}.sock`);
  for (let attempt = 0; ; attempt++) {
    const server = createServer((socket) => socket.destroy());
    const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      server.once('error', resolve);
      server.listen(path, () => resolve(undefined));
    });
    if (error === undefined) {
      server.unref();
      return server;
    }
    if (error.code !== 'EADDRINUSE') throw error;
    if (attempt > 0 || (await somebodyListens(path))) {
      throw new SpanloomError('STACK_DATA_IN_USE', `The data folder ${dir} is in use by another running stack.`);
    }
    await rm(path, { force: true });
  }
}

function somebodyListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** After a kill the guard still closes the servers in order; starting others on their files meanwhile would break them. */
async function waitForLeftovers(dir: string, notes: string): Promise<void> {
  let pids: number[] = [];
  try {
    pids = Object.values(JSON.parse(await readFile(notes, 'utf8')) as Record<string, number>);
  } catch {
    return;
  }
  const deadline = Date.now() + LEFTOVERS_MS_MAX;
  while (pids.length > 0) {
    const alive = await Promise.all(pids.map((pid) => runsIn(dir, pid)));
    if (!alive.includes(true)) break;
    if (Date.now() > deadline) {
      throw new SpanloomError(
        'STACK_DATA_IN_USE',
        `Servers of an earlier run still use ${dir} (process ids ${pids.join(', ')}).`,
      );
    }
    await delay(200);
  }
  await rm(notes, { force: true });
}

const LEFTOVERS_MS_MAX = 30_000;

/** Process ids are used again: where the system shows a process's folder, it must be ours. */
async function runsIn(dir: string, pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const folder = await realpath(`/proc/${pid}/cwd`).catch(() => undefined);
  if (folder === undefined) return process.platform !== 'linux';
  return folder.startsWith(dir);
}
