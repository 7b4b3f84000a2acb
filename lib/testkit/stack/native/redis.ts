import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SpanloomError } from '../../../errors/spanloom-error.ts';
import type { NativeContext, NativeServer } from './native-stack.ts';
import { freePort } from './ports.ts';
import { redisAnswers } from './probes.ts';
import { runTool, tailOf } from './run-tool.ts';
import { ServerProcess } from './server-process.ts';

/** The system's Redis; on Debian and Ubuntu it is installed when this process is root. */
export async function startNativeRedis(context: NativeContext): Promise<NativeServer<string>> {
  await ensureRedisInstalled(context);
  const dir = join(context.dir, 'redis');
  await mkdir(dir, { recursive: true });
  const port = await freePort();
  const kept = context.keepsData ? ['--appendonly', 'yes', '--appendfsync', 'everysec'] : ['--appendonly', 'no'];
  context.progress('redis', 'starting');
  const server = new ServerProcess(
    {
      name: 'Redis',
      command: 'redis-server',
      args: [
        ...['--bind', '127.0.0.1', '--port', String(port), '--dir', dir, '--daemonize', 'no'],
        // Full means an error that the worker sees, never a silently removed window.
        ...['--save', '', '--maxmemory-policy', 'noeviction', ...kept],
      ],
      env: context.env,
      cwd: dir,
      logFile: join(dir, 'redis.log'),
    },
    context.guard,
  );
  await server.waitUntilReady(() => redisAnswers(port), READY_TIMEOUT_MS);
  return { server, address: `redis://127.0.0.1:${port}`, shown: `127.0.0.1:${port}`, graceMs: STOP_GRACE_MS };
}

const READY_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 10_000;
const APT_TIMEOUT_MS = 300_000;

async function ensureRedisInstalled(context: NativeContext): Promise<void> {
  const { env } = context;
  if (await isInstalled(env)) return;
  const isRoot = process.getuid?.() === 0;
  const hasApt = (await runTool({ command: 'apt-get', args: ['--version'], env, timeoutMs: 30_000 })) !== undefined;
  if (!isRoot || !hasApt) {
    throw new SpanloomError(
      'STACK_TOOL_MISSING',
      `Redis is needed, but 'redis-server' is not installed. Install it (${hasApt ? 'sudo apt-get install redis-server' : INSTALL_ELSEWHERE}), ` +
        'start Docker, or give an address in REDIS_URL.',
    );
  }
  context.progress('redis', 'installing the package redis-server with apt-get (first run only)');
  let result = await aptGet('install', '-y', '--no-install-recommends', 'redis-server');
  if (result?.code !== 0) {
    context.progress('redis', 'updating the package lists, then installing redis-server');
    await aptGet('update');
    result = await aptGet('install', '-y', '--no-install-recommends', 'redis-server');
  }
  if (await isInstalled(env)) return;
  throw new SpanloomError(
    'STACK_DOWNLOAD_FAILED',
    `apt-get could not install redis-server. What it said at the end:\n${tailOf(result?.output ?? '')}`,
    { retryable: true },
  );

  function aptGet(...args: string[]) {
    // RUNLEVEL=1: the package must not start a Redis of its own on port 6379.
    const quiet = { ...env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    // Another apt-get may hold the lock for a while.
    const command = ['-q', '-o', 'DPkg::Lock::Timeout=120', ...args];
    return runTool({ command: 'apt-get', args: command, env: quiet, timeoutMs: APT_TIMEOUT_MS });
  }
}

const INSTALL_ELSEWHERE = 'macOS: brew install redis';

async function isInstalled(env: NodeJS.ProcessEnv): Promise<boolean> {
  return (await runTool({ command: 'redis-server', args: ['--version'], env, timeoutMs: 30_000 }))?.code === 0;
}
