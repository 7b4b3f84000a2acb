import { truncate } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { windowKeys } from '../../../lib/redis/window-keys.ts';
import type { Endpoint } from '../../../lib/testkit/faults/tcp-proxy.ts';
import type { Fault, FaultGroup } from '../fault.ts';
import type { FaultPipeline } from '../rig/fault-pipeline.ts';
import { fillDisk } from '../rig/full-disk.ts';
import { PARTITIONS } from '../rig/positions.ts';
import { appendOnlyFile, startRedis, startReplica } from '../rig/redis-servers.ts';
import { sleep, waitUntil } from '../rig/wait-until.ts';

/** What the assemblers' Redis may do to them. Kafka is the truth, so each of these costs a rebuild and nothing else. */
const FAULTS: readonly Fault[] = [
  {
    name: 'Redis is killed and starts again from its append-only file',
    // Nothing is lost, so nothing need be rebuilt: commands may just wait for the connection.
    inject: async (pipeline) => {
      const proxies = pipeline.processes
        .filter(({ service }) => service === 'trace-assembler')
        .map(({ redis }) => redis);
      const before = proxies.map(({ connectionsTotal }) => connectionsTotal);
      await pipeline.stack.redis.stop(0);
      await sleep(500);
      await pipeline.stack.redis.startAgain();
      await waitUntil('each assembler is connected anew', () =>
        proxies.every(({ connectionsTotal }, i) => connectionsTotal > (before[i] as number)),
      );
    },
  },
  {
    name: 'Redis is killed and has lost the last 64 KiB of its append-only file',
    inject: (pipeline) =>
      rebuilding(pipeline, async () => {
        await withWindows(pipeline, async () => {});
        await pipeline.stack.redis.stop(0);
        const file = await appendOnlyFile(pipeline.stack.redisFolder);
        if (file.bytes < 65_536) throw new Error(`there are only ${file.bytes} bytes to cut`);
        await truncate(file.path, file.bytes - 65_536);
        await pipeline.stack.redis.startAgain();
      }),
  },
  {
    name: 'FLUSHALL',
    fast: true,
    inject: (pipeline) => rebuilding(pipeline, () => withWindows(pipeline, (redis) => redis.flushall())),
  },
  {
    name: 'one window is deleted',
    inject: (pipeline) => rebuilding(pipeline, () => disturbWindow(pipeline, (redis, key) => redis.unlink(key))),
  },
  {
    name: 'a key of another type in place of a window',
    inject: (pipeline) =>
      rebuilding(pipeline, () =>
        disturbWindow(pipeline, async (redis, key) => {
          const [removed] = (await redis.multi().unlink(key).set(key, 'not a list', 'EX', 600).exec()) ?? [];
          return Number(removed?.[1]);
        }),
      ),
  },
  {
    name: 'Redis evicts keys (allkeys-lru, memory full)',
    inject: (pipeline) =>
      rebuilding(pipeline, () =>
        withWindows(pipeline, async (redis) => {
          // An earlier row may have evicted some.
          await redis.config('RESETSTAT');
          await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
          await redis.config('SET', 'maxmemory', '1mb');
          await waitUntil('keys are evicted', async () => /evicted_keys:[1-9]/.test(await redis.info('stats')));
          await redis.config('SET', 'maxmemory', '0');
          await redis.config('SET', 'maxmemory-policy', 'noeviction');
        }),
      ),
  },
  {
    name: 'Redis is full and refuses writes (noeviction) for 10 s',
    inject: (pipeline) =>
      rebuilding(pipeline, () =>
        withWindows(pipeline, async (redis) => {
          await redis.config('SET', 'maxmemory', '1mb');
          await sleep(10_000);
          await redis.config('SET', 'maxmemory', '0');
        }),
      ),
  },
  {
    name: 'Redis is a read-only replica for 5 s (READONLY)',
    inject: (pipeline) =>
      rebuilding(pipeline, () =>
        withWindows(pipeline, async (redis) => {
          await redis.replicaof('127.0.0.1', 1);
          await sleep(5_000);
          await redis.replicaof('NO', 'ONE');
        }),
      ),
  },
  {
    name: 'a script of somebody else blocks Redis (BUSY)',
    inject: (pipeline) =>
      rebuilding(pipeline, () =>
        withWindows(pipeline, async (redis) => {
          await redis.config('SET', 'busy-reply-threshold', '500');
          const busy = new Redis(pipeline.stack.addresses.redis);
          const blocking = busy.eval('while true do end', 0).catch(() => {});
          await sleep(3_000);
          await redis.call('SCRIPT', 'KILL');
          await blocking;
          busy.disconnect();
          await redis.config('SET', 'busy-reply-threshold', '5000');
        }),
      ),
  },
  {
    name: 'a fail-over to a replica that lacks the newest writes, and back to the old master with what it had',
    inject: async (pipeline) => {
      const replica = await startReplica(pipeline.stack);
      const assemblers = pipeline.processes.filter(({ service }) => service === 'trace-assembler');
      const { hostname, port } = new URL(pipeline.stack.addresses.redis);
      const master = new Redis(pipeline.stack.addresses.redis);
      const living = (redis: Redis) =>
        redis.mget(Array.from({ length: PARTITIONS }, (_, partition) => windowKeys(pipeline.prefix, partition).live));
      try {
        // What the master takes from now on never comes to the replica.
        await replica.cutOff();
        const newer = async () => (await replica.client.exists(await windowOf(master, pipeline.prefix))) === 0;
        await waitUntil('a window that the replica lacks', newer);
        await rebuilding(pipeline, async () => {
          await replica.promote();
          for (const { redis } of assemblers) redis.pointTo(replica.endpoint);
        });
        await waitUntil('a namespace that the old master has never seen', async () => {
          const known = await living(master);
          return (await living(replica.client)).some((namespace, partition) => namespace !== known[partition]);
        });
        await rebuilding(pipeline, async () => {
          for (const { redis } of assemblers) redis.pointTo({ host: hostname, port: Number(port) });
        });
      } finally {
        master.disconnect();
        await replica.stop();
      }
    },
  },
  {
    name: 'the disk of Redis is full for 10 s: its append-only file takes nothing more (MISCONF)',
    // The stack's own would be killed for it, as Redis is by default; this one is started so that it is not.
    inject: async (pipeline) => {
      const other = await startRedis(['--appendonly', 'yes']);
      const proxies = pipeline.processes.map(({ redis }) => redis);
      const { hostname, port } = new URL(pipeline.stack.addresses.redis);
      const moveTo = async (endpoint: Endpoint) => {
        for (const proxy of proxies) proxy.pointTo(endpoint);
      };
      const writes = (status: string) => async () =>
        (await other.client.info('persistence')).includes(`aof_last_write_status:${status}`);
      try {
        await rebuilding(pipeline, () => moveTo(other.endpoint));
        await windowOf(other.client, pipeline.prefix);
        await rebuilding(pipeline, async () => {
          const free = fillDisk(other.pid);
          await waitUntil('the append-only file takes nothing', writes('err'));
          await sleep(10_000);
          free();
        });
        await waitUntil('it takes writes again', writes('ok'));
        await windowOf(other.client, pipeline.prefix);
      } finally {
        await moveTo({ host: hostname, port: Number(port) });
        await other.stop();
      }
    },
  },
  {
    name: 'Redis answers 2 s late for 10 s',
    inject: async (pipeline) => {
      const proxies = pipeline.processes.map(({ redis }) => redis);
      for (const proxy of proxies) proxy.latencyMs = 1_000;
      await sleep(10_000);
      for (const proxy of proxies) proxy.latencyMs = 0;
    },
  },
  {
    name: 'Redis hangs for 10 s with its connections up (half-open)',
    inject: (pipeline) =>
      rebuilding(pipeline, async () => {
        const proxies = pipeline.processes.map(({ redis }) => redis);
        for (const proxy of proxies) proxy.stall();
        await sleep(10_000);
        for (const proxy of proxies) proxy.resume();
      }),
  },
  {
    name: 'connections to Redis are cut every 500 ms for 10 s, also inside an answer',
    inject: (pipeline) =>
      rebuilding(pipeline, async () => {
        for (let i = 0; i < 20; i++) {
          for (const { redis } of pipeline.processes) i % 2 === 0 ? redis.cutAll() : redis.cutAfterBytes(1_000);
          await sleep(500);
        }
        const cut = pipeline.processes.reduce((sum, { redis }) => sum + redis.cutTotal, 0);
        if (cut < 5) throw new Error(`only ${cut} connections were cut`);
      }),
  },
  {
    name: 'a trace-assembler starts while Redis may evict: it refuses',
    inject: async (pipeline) => {
      const assembler = await pipeline.add('trace-assembler', 'trace-assembler-refused');
      const redis = new Redis(pipeline.stack.addresses.redis);
      await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
      await redis.config('SET', 'maxmemory', '4gb');
      try {
        const why = await assembler.start().then(
          () => 'it started',
          (error: Error) => error.message,
        );
        if (!/exit code 78[\s\S]*maxmemory-policy is allkeys-lru/.test(why)) throw new Error(why);
      } finally {
        await redis.config('SET', 'maxmemory', '0');
        await redis.config('SET', 'maxmemory-policy', 'noeviction');
        redis.disconnect();
        await pipeline.remove(assembler);
      }
    },
  },
];

export const REDIS: FaultGroup = {
  pipeline: { name: 'redis', scale: { 'trace-assembler': 2 }, seed: 3 },
  faults: FAULTS,
};

/** Does it, and waits until an assembler has built its windows anew because of it. */
async function rebuilding(pipeline: FaultPipeline, disturb: () => Promise<unknown>): Promise<void> {
  const rebuilds = () =>
    pipeline.processes
      .filter(({ service }) => service === 'trace-assembler')
      .flatMap((process) => process.log())
      .filter((line) => line.includes('"partition begins again"')).length;
  const before = rebuilds();
  await disturb();
  await waitUntil('a partition begins again', () => rebuilds() > before);
}

/** Gives a connection straight to the server, once there are windows in it. */
async function withWindows(pipeline: FaultPipeline, use: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis(pipeline.stack.addresses.redis);
  try {
    await windowOf(redis, pipeline.prefix);
    await use(redis);
  } finally {
    redis.disconnect();
  }
}

/** @param change answers 1 when the window was still there; else another one is disturbed. */
async function disturbWindow(
  pipeline: FaultPipeline,
  change: (redis: Redis, key: string) => Promise<number>,
): Promise<void> {
  await withWindows(pipeline, async (redis) => {
    // One that opens from now on has an owner that will miss it; those of before may be of an owner about to begin again.
    const before = new Set<string>();
    for await (const window of windowsOf(redis, pipeline.prefix)) before.add(window);
    while ((await change(redis, await windowOf(redis, pipeline.prefix, before))) !== 1);
  });
}

/** A window with spans in it that is not among `others`. */
function windowOf(redis: Redis, prefix: string, others: ReadonlySet<string> = new Set()): Promise<string> {
  return waitUntil('a window', async () => {
    for await (const window of windowsOf(redis, prefix)) if (!others.has(window)) return window;
    return undefined;
  });
}

/** The windows of living namespaces: those that a crash left behind nobody would miss. */
async function* windowsOf(redis: Redis, prefix: string): AsyncGenerator<string> {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const keys = windowKeys(prefix, partition);
    const living = await redis.get(keys.live);
    if (living === null) continue;
    const { window } = keys.namespace(living);
    for await (const found of redis.scanStream({ match: `${window}*`, count: 1_000 })) yield* found as string[];
  }
}
