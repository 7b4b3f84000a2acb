import { join } from 'node:path';
import { SpanloomError } from '../../../errors/spanloom-error.ts';
import { startGuard } from '../native/guard.ts';
import { freePort } from '../native/ports.ts';
import { runTool, tailOf } from '../native/run-tool.ts';
import { packageRoot } from '../package-root.ts';
import { ensureBucket } from '../s3-bucket.ts';
import {
  S3_ACCESS_KEY_ID,
  S3_REGION,
  S3_SECRET_ACCESS_KEY,
  type StackAddresses,
  type StackPlan,
  type StartedServers,
} from '../types.ts';
import { type ComposePorts, composeCommands } from './compose-command.ts';

/** The three servers of docker-compose.yml, on free ports of 127.0.0.1; our own services run outside. */
export async function startCompose(plan: StackPlan): Promise<StartedServers> {
  const startedAt = performance.now();
  const ports = await freePorts();
  const env = { ...plan.env, ...ports };
  const commands = composeCommands({
    file: join(packageRoot(), 'docker-compose.yml'),
    services: plan.services,
    unique: `${process.pid}-${Date.now().toString(36)}`,
    ...(plan.dataDir === undefined ? {} : { dataDir: plan.dataDir }),
  });
  await requireCompose(plan.env);

  plan.progress('docker', 'starting containers (images are downloaded in the first run)');
  const guard = startGuard({ graceMs: 0, command: commands.down, env });
  const stop = async () => {
    await docker(commands.down);
    guard.release();
  };
  const result = await docker(commands.up);
  if (result?.code !== 0) {
    const logs = await docker(commands.logs);
    await stop();
    const said = tailOf(`${logs?.output ?? ''}\n${result?.output ?? ''}`, 30);
    throw new SpanloomError('STACK_SERVER_FAILED', `docker compose could not start the servers. It said:\n${said}`);
  }
  const addresses = addressesOf(ports, plan.bucket);
  try {
    if (plan.services.includes('s3')) await ensureBucket(addresses.s3, { timeoutMs: BUCKET_TIMEOUT_MS });
  } catch (error) {
    await stop();
    throw error;
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const shown = { kafka: addresses.kafka.join(','), redis: `127.0.0.1:${ports.REDIS_PORT}`, s3: addresses.s3.endpoint };
  for (const service of plan.services) plan.progress(service, `ready on ${shown[service]} (${seconds} s)`);
  return {
    addresses: Object.fromEntries(plan.services.map((service) => [service, addresses[service]])),
    pids: {},
    stop,
  };

  function docker([command = '', ...args]: readonly string[]) {
    return runTool({ command, args, env, timeoutMs: DOCKER_TIMEOUT_MS });
  }
}

/** The first run downloads some 700 MB of images. */
const DOCKER_TIMEOUT_MS = 900_000;
const BUCKET_TIMEOUT_MS = 30_000;

async function freePorts(): Promise<ComposePorts> {
  const taken = new Set<number>();
  for (let i = 0; i < 3; i++) taken.add(await freePort(taken));
  const [kafka, redis, s3] = [...taken].map(String);
  return { KAFKA_PORT: kafka ?? '', REDIS_PORT: redis ?? '', S3_PORT: s3 ?? '' };
}

function addressesOf(ports: ComposePorts, bucket: string): StackAddresses {
  return {
    kafka: [`127.0.0.1:${ports.KAFKA_PORT}`],
    redis: `redis://127.0.0.1:${ports.REDIS_PORT}`,
    s3: {
      endpoint: `http://127.0.0.1:${ports.S3_PORT}`,
      bucket,
      accessKeyId: S3_ACCESS_KEY_ID,
      secretAccessKey: S3_SECRET_ACCESS_KEY,
      region: S3_REGION,
    },
  };
}

async function requireCompose(env: NodeJS.ProcessEnv): Promise<void> {
  const version = await runTool({ command: 'docker', args: ['compose', 'version'], env, timeoutMs: 30_000 });
  if (version?.code === 0) return;
  const what = version === undefined ? "'docker' is not installed" : "'docker compose' (version 2) is not installed";
  throw new SpanloomError(
    'STACK_TOOL_MISSING',
    `The servers are to run in Docker, but ${what}. Install it, or set SPANLOOM_STACK=native to run them with Java, Maven and Redis.`,
  );
}
