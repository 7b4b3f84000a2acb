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

/** A server that runs in its own session, so that Ctrl-C leaves it up while its clients drain. */
export class ServerProcess {
  readonly name: string;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #exited: Promise<string>;
  #exit: string | undefined;

  constructor(command: ServerCommand, guard: Guard) {
    this.name = command.name;
    this.#logFile = command.logFile;
    const log = openSync(command.logFile, 'a');
    try {
      this.#child = spawn(command.command, command.args, {
        cwd: command.cwd,
        env: command.env ?? process.env,
        stdio: ['ignore', log, log],
        detached: true,
      });
    } finally {
      closeSync(log);
    }
    this.#exited = new Promise((resolve) => {
      const ended = (how: string) => {
        this.#exit = how;
        guard.forget(this.#child);
        resolve(how);
      };
      this.#child.once('error', (error) => ended(error.message));
      this.#child.once('exit', (code, signal) => ended(signal === null ? `exit code ${code}` : `signal ${signal}`));
    });
    this.pid = this.#child.pid ?? 0;
    if (this.pid !== 0) guard.watch(this.#child);
    // A finished program ends although the server still runs; the guard then ends the server.
    this.#child.unref();
  }

  /** Resolves with how the process ended; for a server that should run on, that is bad news. */
  get exited(): Promise<string> {
    return this.#exited;
  }

  /**
   * Asks `probe` every 100 ms until it says yes.
   * @throws SpanloomError STACK_SERVER_FAILED with the end of the server's log when it exits or takes too long.
   */
  async waitUntilReady(probe: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      if (this.#exit !== undefined) throw await this.#failed(`ended while it started (${this.#exit})`);
      if (await probe()) return;
      if (Date.now() >= deadline) throw await this.#failed(`was not ready after ${timeoutMs / 1000} s`);
      await delay(POLL_MS);
    }
  }

  /** SIGTERM, and SIGKILL after `graceMs`; 0 kills at once. Returns when the process is gone. */
  async stop(graceMs: number): Promise<void> {
    if (this.#exit !== undefined) return;
    this.#child.ref();
    if (graceMs > 0) {
      this.#child.kill('SIGTERM');
      const giveUp = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
      await this.#exited;
      clearTimeout(giveUp);
    } else {
      this.#child.kill('SIGKILL');
      await this.#exited;
    }
  }

  async #failed(what: string): Promise<SpanloomError> {
    const tail = await endOfFile(this.#logFile);
    const log = tail === '' ? 'Its log is empty.' : `The end of its log:\n${tail}`;
    return new SpanloomError('STACK_SERVER_FAILED', `${this.name} ${what}. ${log}`);
  }
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
