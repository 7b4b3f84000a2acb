import type { SecureListener, StackAddresses, StackPlan, StackService, StartedServers } from '../types.ts';
import { cacheFolder } from './cache-folder.ts';
import { openDataDir } from './data-dir.ts';
import { type Guard, startGuard } from './guard.ts';
import { startNativeKafka } from './kafka.ts';
import { startNativeRedis } from './redis.ts';
import { startNativeS3 } from './s3.ts';
import type { ServerProcess } from './server-process.ts';

/** What a native server needs to know of the stack it belongs to. */
export interface NativeContext {
  /** Each server takes a folder of its own in it. */
  readonly dir: string;
  readonly keepsData: boolean;
  readonly cacheDir: string;
  readonly bucket: string;
  readonly env: NodeJS.ProcessEnv;
  readonly guard: Guard;
  readonly secureKafka?: SecureListener;
  progress(service: StackService, text: string): void;
}

export interface NativeServer<Address> {
  readonly server: ServerProcess;
  readonly address: Address;
  readonly shown: string;
  /** How long a stop in order may take before SIGKILL, for data that is kept. */
  readonly graceMs: number;
}

/** The servers as processes of this machine, started at the same time, each on free ports of 127.0.0.1. */
export async function startNative(plan: StackPlan): Promise<StartedServers> {
  const data = await openDataDir(plan.dataDir);
  const guard = startGuard(data.keeps ? { graceMs: GUARD_GRACE_MS } : { graceMs: 0, deleteDir: data.dir });
  const context: NativeContext = {
    ...plan,
    dir: data.dir,
    keepsData: data.keeps,
    cacheDir: cacheFolder(plan.env),
    guard,
  };
  const running: NativeServer<unknown>[] = [];
  let isStopping = false;

  const stop = async () => {
    isStopping = true;
    await Promise.all(running.map(({ server, graceMs }) => server.stop(data.keeps ? graceMs : 0)));
    await data.close();
    guard.release();
  };

  const start = async (service: StackService) => {
    const startedAt = performance.now();
    const server = await STARTERS[service](context);
    running.push(server);
    plan.progress(service, `ready on ${server.shown} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
    void server.server.exited.then((how) => {
      if (!isStopping && !server.server.wasStopped) plan.progress(service, `has ended by itself (${how})`);
    });
    await data.note(service, server.server.pid);
    return [service, server] as const;
  };

  // All settle before a failure is told, so that nothing is still starting while the rest is stopped.
  const outcomes = await Promise.allSettled(plan.services.map(start));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  const started = Object.fromEntries(
    outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])),
  );
  return {
    addresses: mapValues(started, ({ address }) => address) as Partial<StackAddresses>,
    pids: mapValues(started, ({ server }) => server.pid),
    servers: mapValues(started, ({ server }) => server),
    stop,
  };
}

/** Kafka may take a while to close its logs; a clean close makes the next start quick. */
const GUARD_GRACE_MS = 20_000;

const STARTERS: Readonly<Record<StackService, (context: NativeContext) => Promise<NativeServer<unknown>>>> = {
  kafka: startNativeKafka,
  redis: startNativeRedis,
  s3: startNativeS3,
};

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
