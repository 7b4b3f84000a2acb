import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** Has the package chdb, which holds ClickHouse's engine; `CHDB_PYTHON` names another interpreter. */
const PYTHON = process.env['CHDB_PYTHON'] ?? 'python3';

/** Whether there is an engine here; without one, its tests say that they are skipped. */
export function hasClickHouse(): boolean {
  return spawnSync(PYTHON, ['-c', 'from chdb import session']).status === 0;
}

/** ClickHouse's engine behind its HTTP interface on a free port of this machine, with one table. */
export class ClickHouse {
  private readonly process: ChildProcess;
  readonly url: string;

  private constructor(child: ChildProcess, port: number) {
    this.process = child;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** @param tableFile an SQL file that creates the table. */
  static async start(tableFile: string): Promise<ClickHouse> {
    const child = spawn(PYTHON, [path.join(import.meta.dirname, 'serve-chdb.py'), tableFile], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const port = await Promise.race([
      once(child.stdout, 'data').then(([data]) => Number(data)),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`chdb ended with ${code}`))),
    ]);
    return new ClickHouse(child, port);
  }

  /** Rows of a SELECT. */
  async rows(query: string): Promise<Record<string, unknown>[]> {
    const response = await fetch(`${this.url}/?query=${encodeURIComponent(query)}`, { method: 'POST', body: '' });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }

  async stop(): Promise<void> {
    this.process.stdin?.end();
    if (this.process.exitCode === null) await once(this.process, 'exit');
  }
}
