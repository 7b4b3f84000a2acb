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

export interface Replica {
  readonly endpoint: Endpoint;
  readonly client: Redis;
  /** From now on nothing of the master's comes to it. */
  cutOff(): Promise<void>;
  /** Makes it a master with what it has. */
  promote(): Promise<void>;
  stop(): Promise<void>;
}

/** A replica of the stack's Redis that has caught up, behind a proxy that can cut it off. */
export async function startReplica({ addresses }: FaultStack): Promise<Replica> {
  const { hostname, port: masterPort } = new URL(addresses.redis);
  const link = await TcpProxy.open({ host: hostname, port: Number(masterPort) });
  const folder = await mkdtemp(path.join(tmpdir(), 'spanloom-replica-'));
  const port = await freePort();
  const replicaOf = ['--replicaof', '127.0.0.1', String(link.port)];
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', '', ...replicaOf];
  const server: ChildProcess = spawn('redis-server', args, { stdio: 'ignore' });
  const exited = once(server, 'exit');
  const client = new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: null });
  client.on('error', () => {});
  await waitUntil('the replica has caught up', async () =>
    /master_link_status:up/.test(await client.info('replication')),
  );
  return {
    endpoint: { host: '127.0.0.1', port },
    client,
    cutOff: async () => link.refuse(),
    promote: async () => {
      await client.replicaof('NO', 'ONE');
    },
    stop: async () => {
      client.disconnect();
      server.kill('SIGKILL');
      await exited;
      await link.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
