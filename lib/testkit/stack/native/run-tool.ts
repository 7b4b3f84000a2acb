import { spawn } from 'node:child_process';
import { SpanloomError } from '../../../errors/spanloom-error.ts';
import type { Guard } from './guard.ts';

export interface ToolRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  /** Ends the tool too when this process is killed. */
  readonly guard?: Guard;
}

export interface ToolResult {
  /** `undefined` when a signal or the time-out ended it. */
  readonly code: number | undefined;
  /** Standard output and error, as they came; the last 64 KiB. */
  readonly output: string;
}

/** Runs a tool to its end. `undefined` when it is not installed. */
export function runTool(run: ToolRun): Promise<ToolResult | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(run.command, run.args, {
      cwd: run.cwd ?? process.cwd(),
      env: run.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (bytes: Buffer) => {
      output = (output + bytes.toString()).slice(-OUTPUT_MAX);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    if (child.pid !== undefined) run.guard?.watch(child);
    const timer = setTimeout(() => child.kill('SIGKILL'), run.timeoutMs);
    child.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      if (error.code === 'ENOENT') resolve(undefined);
      else reject(new SpanloomError('STACK_TOOL_MISSING', `'${run.command}' cannot be started.`, { cause: error }));
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      run.guard?.forget(child);
      resolve({ code: code ?? undefined, output });
    });
  });
}

const OUTPUT_MAX = 64 * 1024;

/** The end of a tool's output, for a sentence that says what went wrong. */
export function tailOf(output: string, lines = 12): string {
  return output.trim().split('\n').slice(-lines).join('\n');
}
