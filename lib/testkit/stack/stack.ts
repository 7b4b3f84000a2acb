import { resolve } from 'node:path';
import { chooseProvider, type Provider } from './choose-provider.ts';
import { startCompose } from './docker/compose.ts';
import { dockerDaemonAnswers } from './docker/daemon.ts';
import { kafkaFromEnvironment, redisFromEnvironment, s3FromEnvironment } from './environment.ts';
import { startNative } from './native/native-stack.ts';
import { ensureBucket } from './s3-bucket.ts';
import {
  BUCKET_DEFAULT,
  type RestartableServer,
  type SecureListener,
  STACK_SERVICES,
  type StackAddresses,
  type StackService,
  type StartedServers,
} from './types.ts';

export { stackEnvironment } from './environment.ts';
export type { RestartableServer, SecureListener, StackAddresses, StackService } from './types.ts';

export interface Stack {
  readonly addresses: StackAddresses;
  /** Where the services come from that the environment did not give; `environment` when it gave all of them. */
  readonly provider: Provider;
  /** Process ids of native servers by service, for measuring and for fault tests. */
  readonly pids: Readonly<Record<string, number>>;
  /** Native servers by service, for fault tests that end them. */
  readonly servers: Readonly<Record<string, RestartableServer>>;
  /** Stops what this stack started, and deletes temporary data. Safe to call twice. */
  stop(): Promise<void>;
}

export interface StackOptions {
  /** Keeps the servers' data here; a later start on the same folder finds it again. Default: temporary, deleted on stop. */
  dataDir?: string;
  /** Made when it is not there. Default: S3_BUCKET, else `spanloom`. */
  bucket?: string;
  /** One line per step, such as `kafka  ready on 127.0.0.1:29092 (6.1 s)`. */
  onProgress?(line: string): void;
  env?: NodeJS.ProcessEnv;
  /** Default: all. Services left out have empty addresses. */
  services?: readonly StackService[];
  /** How Docker is used when it is used: docker-compose.yml (default), or containers that the test run owns. */
  docker?: 'compose' | 'testcontainers';
  secureKafka?: SecureListener;
}

/**
 * Kafka, Redis and S3, ready for use. Per service: an address from the environment wins (KAFKA_BROKERS, REDIS_URL,
 * S3_ENDPOINT); else Docker when its daemon answers; else native processes. SPANLOOM_STACK=native or docker decides
 * between the last two. What was started ends with this process, however that ends.
 *
 * @throws SpanloomError STACK_TOOL_MISSING, STACK_DOWNLOAD_FAILED, STACK_SERVER_FAILED, STACK_DATA_IN_USE,
 *   STACK_SETTING_INVALID, each with a sentence for a person.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const env = options.env ?? process.env;
  const services = options.services ?? STACK_SERVICES;
  const bucket = options.bucket || env['S3_BUCKET'] || BUCKET_DEFAULT;
  const progress = options.onProgress ?? (() => {});
  const choice = await chooseProvider({ env, services, dockerAnswers: dockerDaemonAnswers });

  const given: Partial<StackAddresses> = {
    ...(choice.fromEnvironment.includes('kafka') ? { kafka: kafkaFromEnvironment(env) } : {}),
    ...(choice.fromEnvironment.includes('redis') ? { redis: redisFromEnvironment(env) } : {}),
    ...(choice.fromEnvironment.includes('s3') ? { s3: s3FromEnvironment(env, bucket) } : {}),
  };
  for (const service of choice.fromEnvironment) progress(progressLine(service, 'address taken from the environment'));
  if (given.s3 !== undefined) await ensureBucket(given.s3, { timeoutMs: GIVEN_BUCKET_TIMEOUT_MS });

  const started = await startOthers(choice.provider, choice.toStart, { ...options, env, bucket, progress });
  return {
    addresses: { ...NOTHING, ...given, ...started.addresses },
    provider: choice.provider,
    pids: started.pids,
    servers: started.servers ?? {},
    stop: once(() => started.stop()),
  };
}

/** Services in the first column, so that parallel starts read well one below the other. */
export function progressLine(service: string, text: string): string {
  return `${service.padEnd(6)} ${text}`;
}

const GIVEN_BUCKET_TIMEOUT_MS = 10_000;
const NOTHING: StackAddresses = {
  kafka: [],
  redis: '',
  s3: { endpoint: '', bucket: '', accessKeyId: '', secretAccessKey: '', region: '' },
};

interface StartRequest extends StackOptions {
  env: NodeJS.ProcessEnv;
  bucket: string;
  progress(line: string): void;
}

async function startOthers(
  provider: Provider,
  services: readonly StackService[],
  request: StartRequest,
): Promise<StartedServers> {
  if (services.length === 0) return { addresses: {}, pids: {}, stop: async () => {} };
  const plan = {
    services,
    bucket: request.bucket,
    env: request.env,
    progress: (service: string, text: string) => request.progress(progressLine(service, text)),
    ...(request.dataDir === undefined ? {} : { dataDir: resolve(request.dataDir) }),
    ...(request.secureKafka === undefined ? {} : { secureKafka: request.secureKafka }),
  };
  if (provider === 'native') return startNative(plan);
  if (request.docker !== 'testcontainers') return startCompose(plan);
  // A development dependency: an installed package has no such module and never comes here.
  const { startTestcontainers } = await import('./docker/testcontainers.ts');
  return startTestcontainers(plan);
}

function once(stop: () => Promise<void>): () => Promise<void> {
  let stopping: Promise<void> | undefined;
  return () => {
    stopping ??= stop();
    return stopping;
  };
}
