import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { type Endpoint, TcpProxy } from '../../../lib/testkit/faults/tcp-proxy.ts';
import { freePort } from '../../../lib/testkit/stack/native/ports.ts';
import type { FaultStack } from './fault-stack.ts';
import { waitUntil } from './wait-until.ts';

/** The file that Redis appends to at this time. */
export async function appendOnlyFile(redisFolder: string): Promise<{ path: string; bytes: number }> {
  const folder = path.join(redisFolder, 'appendonlydir');
  const newest = (await readdir(folder)).filter((name) => name.endsWith('.incr.aof')).at(-1);
  if (newest === undefined) throw new Error(`there is no append-only file in ${folder}`);
  const file = path.join(folder, newest);
  return { path: file, bytes: (await stat(file)).size };
}

/** One more Redis, not the stack's. */
export interface OtherRedis {
  readonly endpoint: Endpoint;
  readonly client: Redis;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface Replica extends Omit<OtherRedis, 'pid'> {
  /** From now on nothing of the master's comes to it. */
  cutOff(): Promise<void>;
  /** Makes it a master with what it has. */
  promote(): Promise<void>;
}

/** An empty one that answers; it outlives a full disk, which the system would kill it for. */
export async function startRedis(args: readonly string[]): Promise<OtherRedis> {
  const folder = await mkdtemp(path.join(tmpdir(), 'spanloom-redis-'));
  const port = await freePort();
  const own = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', ''];
  const server: ChildProcess = spawn('sh', ['-c', 'trap "" XFSZ; exec redis-server "$@"', 'sh', ...own, ...args], {
    stdio: 'ignore',
  });
  const exited = once(server, 'exit');
  const client = new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: null });
  client.on('error', () => {});
  await client.ping();
  return {
    endpoint: { host: '127.0.0.1', port },
    client,
    pid: server.pid as number,
    stop: async () => {
      client.disconnect();
      server.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A replica of the stack's Redis that has caught up, behind a proxy that can cut it off. */
export async function startReplica({ addresses }: FaultStack): Promise<Replica> {
  const { hostname, port: masterPort } = new URL(addresses.redis);
  const link = await TcpProxy.open({ host: hostname, port: Number(masterPort) });
  const server = await startRedis(['--replicaof', '127.0.0.1', String(link.port)]);
  const { client } = server;
  await waitUntil('the replica has caught up', async () =>
    /master_link_status:up/.test(await client.info('replication')),
  );
  return {
    endpoint: server.endpoint,
    client,
    cutOff: async () => link.refuse(),
    promote: async () => {
      await client.replicaof('NO', 'ONE');
    },
    stop: async () => {
      await server.stop();
      await link.close();
    },
  };
}
