import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type RestartableServer, type StackAddresses, startStack } from '../../../lib/testkit/stack/stack.ts';

/** Servers of the fault tests' own: they are killed, filled and emptied, which the run's other tests would not survive. */
export interface FaultStack {
  readonly addresses: StackAddresses;
  readonly kafka: RestartableServer;
  readonly redis: RestartableServer;
  readonly s3: RestartableServer;
  /** Where Redis keeps its append-only files. */
  readonly redisFolder: string;
  stop(): Promise<void>;
}

/** Native processes, with their data in a folder, so that each can be started again as after a crash. */
export async function startFaultStack(): Promise<FaultStack> {
  const folder = await mkdtemp(path.join(tmpdir(), 'spanloom-faults-'));
  const env = { ...process.env, SPANLOOM_STACK: 'native', KAFKA_BROKERS: '', REDIS_URL: '', S3_ENDPOINT: '' };
  const stack = await startStack({ env, dataDir: folder });
  const { kafka, redis, s3 } = stack.servers;
  if (kafka === undefined || redis === undefined || s3 === undefined)
    throw new Error('the stack is not one of native processes');
  return {
    addresses: stack.addresses,
    kafka,
    redis,
    s3,
    redisFolder: path.join(folder, 'redis'),
    stop: async () => {
      // Nobody reads the data again, so nothing is waited for.
      await Promise.all(Object.values(stack.servers).map((server) => server.stop(0)));
      await stack.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
