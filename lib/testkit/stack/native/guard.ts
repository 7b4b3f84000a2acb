import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends the servers when this process ends, however it ends: a small shell reads process ids from a pipe, and the pipe
 * closes with this process, also on SIGKILL. It runs in a session of its own, so that Ctrl-C and a kill of our process
 * group do not reach it.
 */
export interface Guard {
  watch(child: ChildProcess): void;
  forget(child: ChildProcess): void;
  /** Everything was stopped in order: leave without killing or deleting anything. */
  release(): void;
}

export interface GuardOptions {
  /** Time between SIGTERM and SIGKILL; 0 kills at once. */
  readonly graceMs: number;
  /** A temporary folder that goes when the servers are gone. */
  readonly deleteDir?: string;
  /** Run then, for servers that are no processes of this machine's. */
  readonly command?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

export function startGuard(options: GuardOptions): Guard {
  const tenths = Math.ceil(options.graceMs / 100);
  const args = ['spanloom-guard', String(tenths), options.deleteDir ?? '', ...(options.command ?? [])];
  const shell = spawn('/bin/sh', ['-c', SCRIPT, ...args], {
    env: options.env ?? process.env,
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  const pipe = shell.stdin;
  if (pipe === null) throw new Error('spawn gave no pipe');
  // A guard that is gone already must not take this process with it.
  pipe.on('error', () => {});
  shell.on('error', () => {});
  shell.unref();
  (pipe as unknown as { unref(): void }).unref();
  return {
    watch: (child) => pipe.write(`watch ${child.pid}\n`),
    forget: (child) => pipe.write(`forget ${child.pid}\n`),
    release: () => pipe.end('release\n'),
  };
}

const SCRIPT = `
trap '' INT TERM HUP QUIT
cd /
tenths=$1
dir=$2
shift 2
pids=
while read -r verb pid; do
  case $verb in
    watch) pids="$pids $pid" ;;
    forget) kept=; for p in $pids; do [ "$p" = "$pid" ] || kept="$kept $p"; done; pids=$kept ;;
    release) exit 0 ;;
  esac
done
alive() { for p in $pids; do kill -0 "$p" 2>/dev/null && return 0; done; return 1; }
if [ "$tenths" -gt 0 ]; then
  for p in $pids; do kill -TERM "$p" 2>/dev/null; done
  while [ "$tenths" -gt 0 ] && alive; do sleep 0.1; tenths=$((tenths - 1)); done
fi
for p in $pids; do kill -KILL "$p" 2>/dev/null; done
[ -n "$dir" ] && rm -rf -- "$dir"
[ $# -gt 0 ] && "$@" >/dev/null 2>&1
exit 0
`;
