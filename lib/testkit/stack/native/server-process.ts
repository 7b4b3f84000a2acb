import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { SpanloomError } from '../../../errors/spanloom-error.ts';
import type { Guard } from './guard.ts';

export interface ServerCommand {
  /** As a person knows it: `Kafka`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Gets standard output and error, appended. */
  readonly logFile: string;
}

/** A server that runs in its own session, so that Ctrl-C leaves it up while its clients drain. It may be started again. */
export class ServerProcess {
  readonly name: string;
  readonly #command: ServerCommand;
  readonly #guard: Guard;
  #life: Life;
  #ready: { probe: () => Promise<boolean>; timeoutMs: number } | undefined;

  constructor(command: ServerCommand, guard: Guard) {
    this.name = command.name;
    this.#command = command;
    this.#guard = guard;
    this.#life = startLife(command, guard);
  }

  get pid(): number {
    return this.#life.child.pid ?? 0;
  }

  /** Resolves with how the process ended; for a server that nobody stopped, that is bad news. */
  get exited(): Promise<string> {
    return this.#life.exited;
  }

  /** True when `stop` ended it, or is about to. */
  get wasStopped(): boolean {
    return this.#life.wasStopped;
  }

  /**
   * Asks `probe` every 100 ms until it says yes.
   * @throws SpanloomError STACK_SERVER_FAILED with the end of the server's log when it exits or takes too long.
   */
  async waitUntilReady(probe: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    this.#ready = { probe, timeoutMs };
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      if (this.#life.exit !== undefined) throw await this.#failed(`ended while it started (${this.#life.exit})`);
      if (await probe()) return;
      if (Date.now() >= deadline) throw await this.#failed(`was not ready after ${timeoutMs / 1000} s`);
      await delay(POLL_MS);
    }
  }

  /** SIGTERM, and SIGKILL after `graceMs`; 0 kills at once. Returns when the process is gone. */
  async stop(graceMs: number): Promise<void> {
    const life = this.#life;
    life.wasStopped = true;
    if (life.exit !== undefined) return;
    life.child.ref();
    if (graceMs > 0) {
      life.child.kill('SIGTERM');
      // One that was stopped with SIGSTOP hears nothing else.
      life.child.kill('SIGCONT');
      const giveUp = setTimeout(() => life.child.kill('SIGKILL'), graceMs);
      await life.exited;
      clearTimeout(giveUp);
    } else {
      life.child.kill('SIGKILL');
      await life.exited;
    }
  }

  /** The same command on the same port and data, once it has ended; resolves when it is ready as it was before. */
  async startAgain(): Promise<void> {
    await this.#life.exited;
    this.#life = startLife(this.#command, this.#guard);
    if (this.#ready !== undefined) await this.waitUntilReady(this.#ready.probe, this.#ready.timeoutMs);
  }

  async #failed(what: string): Promise<SpanloomError> {
    const tail = await endOfFile(this.#command.logFile);
    const log = tail === '' ? 'Its log is empty.' : `The end of its log:\n${tail}`;
    return new SpanloomError('STACK_SERVER_FAILED', `${this.name} ${what}. ${log}`);
  }
}

interface Life {
  readonly child: ChildProcess;
  readonly exited: Promise<string>;
  exit: string | undefined;
  wasStopped: boolean;
}

function startLife(command: ServerCommand, guard: Guard): Life {
  const log = openSync(command.logFile, 'a');
  let child: ChildProcess;
  try {
    child = spawn(command.command, command.args, {
      cwd: command.cwd,
      env: command.env ?? process.env,
      stdio: ['ignore', log, log],
      detached: true,
    });
  } finally {
    closeSync(log);
  }
  const { promise: exited, resolve } = Promise.withResolvers<string>();
  const life: Life = { child, exited, exit: undefined, wasStopped: false };
  const ended = (how: string) => {
    life.exit = how;
    guard.forget(child);
    resolve(how);
  };
  child.once('error', (error) => ended(error.message));
  child.once('exit', (code, signal) => ended(signal === null ? `exit code ${code}` : `signal ${signal}`));
  if (child.pid !== undefined) guard.watch(child);
  // A finished program ends although the server still runs; the guard then ends the server.
  child.unref();
  return life;
}

const POLL_MS = 100;
const TAIL_BYTES = 2_000;

/** The last lines of a log, at most 2 000 bytes; empty when there is none. */
export async function endOfFile(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const start = Math.max(0, size - TAIL_BYTES);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
      const text = buffer.toString('utf8', 0, bytesRead);
      return (start === 0 ? text : text.slice(text.indexOf('\n') + 1)).trim();
    } finally {
      await file.close();
    }
  } catch {
    return '';
  }
}
