import { setTimeout as delay } from 'node:timers/promises';
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers';
import { SpanloomError } from '../../../errors/spanloom-error.ts';
import { SINGLE_BROKER_PROPERTIES } from '../native/kafka-settings.ts';
import { freePort } from '../native/ports.ts';
import { kafkaAnswers } from '../native/probes.ts';
import { ensureBucket } from '../s3-bucket.ts';
import {
  S3_ACCESS_KEY_ID,
  S3_REGION,
  S3_SECRET_ACCESS_KEY,
  type S3Address,
  type StackPlan,
  type StackService,
  type StartedServers,
} from '../types.ts';
import { KAFKA_IMAGE, kafkaImageEnvironment, REDIS_IMAGE, VERSITYGW_IMAGE } from './images.ts';

/**
 * The servers in containers that belong to this process: testcontainers' own reaper removes them when it dies. For test
 * runs only, since testcontainers is a development dependency; data is never kept.
 */
export async function startTestcontainers(plan: StackPlan): Promise<StartedServers> {
  const outcomes = await Promise.allSettled(plan.services.map((service) => start(service, plan)));
  const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const stop = async () => {
    await Promise.all(started.map(({ container }) => container.stop({ timeout: 0 })));
  };
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw new SpanloomError('STACK_SERVER_FAILED', 'A server did not start in Docker.', { cause: failed.reason });
  }
  return { addresses: Object.fromEntries(started.map(({ service, address }) => [service, address])), pids: {}, stop };
}

interface Started {
  readonly service: StackService;
  readonly container: StartedTestContainer;
  readonly address: string | string[] | S3Address;
}

async function start(service: StackService, plan: StackPlan): Promise<Started> {
  plan.progress(service, 'starting a container (the image is downloaded in the first run)');
  const startedAt = performance.now();
  const { container, address } = await STARTERS[service](plan);
  plan.progress(service, `ready in a container (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  return { service, container, address };
}

const STARTERS: Readonly<Record<StackService, (plan: StackPlan) => Promise<Omit<Started, 'service'>>>> = {
  kafka: startKafka,
  redis: startRedis,
  s3: startS3,
};

const START_TIMEOUT_MS = 300_000;
const KAFKA_READY_MS = 60_000;
const BUCKET_TIMEOUT_MS = 30_000;

/** A broker tells its clients where it is, so its port must be known before it starts. */
async function startKafka(): Promise<Omit<Started, 'service'>> {
  const port = await freePort();
  const { host } = (await getContainerRuntimeClient()).info.containerRuntime;
  const container = await new GenericContainer(KAFKA_IMAGE)
    .withExposedPorts({ container: 9092, host: port })
    .withEnvironment({
      ...kafkaImageEnvironment({
        'process.roles': 'broker,controller',
        'node.id': 1,
        'controller.quorum.voters': '1@localhost:9093',
        listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
        'advertised.listeners': `PLAINTEXT://${host}:${port}`,
        'controller.listener.names': 'CONTROLLER',
        'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
        ...SINGLE_BROKER_PROPERTIES,
      }),
      KAFKA_HEAP_OPTS: '-Xms256m -Xmx512m',
    })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
  const deadline = Date.now() + KAFKA_READY_MS;
  while (!(await kafkaAnswers(port, host))) {
    if (Date.now() > deadline) {
      await container.stop({ timeout: 0 });
      throw new Error(`Kafka in its container does not answer on ${host}:${port}`);
    }
    await delay(100);
  }
  return { container, address: [`${host}:${port}`] };
}

async function startRedis(): Promise<Omit<Started, 'service'>> {
  const container = await new GenericContainer(REDIS_IMAGE)
    .withExposedPorts(6379)
    .withCommand(['redis-server', '--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'])
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
  return { container, address: `redis://${container.getHost()}:${container.getMappedPort(6379)}` };
}

async function startS3(plan: StackPlan): Promise<Omit<Started, 'service'>> {
  const container = await new GenericContainer(VERSITYGW_IMAGE)
    .withExposedPorts(7070)
    .withEnvironment({ ROOT_ACCESS_KEY: S3_ACCESS_KEY_ID, ROOT_SECRET_KEY: S3_SECRET_ACCESS_KEY })
    // It wants its folders to be there; a tmpfs would do only where the kernel gives it extended attributes (6.6).
    .withEntrypoint(['/bin/sh', '-c', 'mkdir -p /data /iam && exec versitygw "$@"', 'versitygw'])
    .withCommand(['--iam-dir', '/iam', '--health', '/health', '--port', ':7070', 'posix', '/data'])
    .withWaitStrategy(Wait.forHttp('/health', 7070))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
  const address: S3Address = {
    endpoint: `http://${container.getHost()}:${container.getMappedPort(7070)}`,
    bucket: plan.bucket,
    accessKeyId: S3_ACCESS_KEY_ID,
    secretAccessKey: S3_SECRET_ACCESS_KEY,
    region: S3_REGION,
  };
  try {
    await ensureBucket(address, { timeoutMs: BUCKET_TIMEOUT_MS });
  } catch (error) {
    await container.stop({ timeout: 0 });
    throw error;
  }
  return { container, address };
}
