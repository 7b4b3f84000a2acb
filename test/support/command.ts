import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { stackEnvironment } from '../../lib/testkit/stack/stack.ts';
import { testStack } from './stack.ts';

const ROOT = path.join(import.meta.dirname, '../..');

/** Tests run side by side. */
const FREE_PORTS = {
  CONSOLE_PORT: '0',
  COLLECTOR_HTTP_PORT: '0',
  COLLECTOR_GRPC_PORT: '0',
  COLLECTOR_ZIPKIN_PORT: '0',
  COLLECTOR_JAEGER_PORT: '0',
};

/** A `spanloom` command as a process of its own, against the run's stack. */
export class Command {
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly exited: Promise<number>;
  private readonly child: ChildProcess;

  /** @param fileKibMax no file that it writes may become larger: what a full disk does, for one process. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}, fileKibMax?: number) {
    const own = [process.execPath, path.join(ROOT, 'cli/main.ts'), ...args];
    const limited = ['bash', '-c', `ulimit -f ${fileKibMax}; exec "$@"`, 'bash', ...own];
    const [program = '', ...rest] = fileKibMax === undefined ? own : limited;
    this.child = spawn(program, rest, {
      cwd: ROOT,
      env: { ...process.env, ...stackEnvironment(testStack()), NO_COLOR: '1', ...FREE_PORTS, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = this.child[name];
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this[name].push(line));
    }
    this.exited = new Promise((resolve) => this.child.once('close', (code) => resolve(code ?? 1)));
  }

  get pid(): number {
    return this.child.pid as number;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** The first line of stdout or stderr that matches, once it is there. */
  async line(stream: 'stdout' | 'stderr', pattern: RegExp, withinMs = 60_000): Promise<string> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const found = this[stream].find((line) => pattern.test(line));
      if (found !== undefined) return found;
      if (performance.now() > deadline || this.child.exitCode !== null) {
        throw new Error(`no line like ${pattern} on ${stream}:\n${[...this.stdout, ...this.stderr].join('\n')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Process ids of its children by the service that they run. */
  services(): Map<string, number> {
    const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args=']).toString().split('\n');
    const services = new Map<string, number>();
    for (const line of lines) {
      const [, pid, parent, args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
      const service = / service ([a-z-]+)$/.exec(args.trim())?.[1];
      if (Number(parent) === this.pid && service !== undefined) services.set(service, Number(pid));
    }
    return services;
  }
}

/** Runs a command to its end. */
export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  fileKibMax?: number,
): Promise<{ code: number; stdout: string[]; stderr: string[] }> {
  const command = new Command(args, env, fileKibMax);
  const code = await command.exited;
  return { code, stdout: command.stdout, stderr: command.stderr };
}
