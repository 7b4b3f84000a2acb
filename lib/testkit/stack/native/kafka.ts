import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SpanloomError } from '../../../errors/spanloom-error.ts';
import { findJava } from './java.ts';
import {
  KAFKA_ARTIFACTS,
  KAFKA_JAVA_OPTIONS,
  KAFKA_VERSION,
  kafkaProperties,
  LOG4J_PROPERTIES,
} from './kafka-settings.ts';
import { downloadJars } from './maven.ts';
import type { NativeContext, NativeServer } from './native-stack.ts';
import { freePort } from './ports.ts';
import { kafkaAnswers } from './probes.ts';
import { runTool, tailOf } from './run-tool.ts';
import { ServerProcess } from './server-process.ts';

/** Kafka from Maven Central, one process that is broker and controller. */
export async function startNativeKafka(context: NativeContext): Promise<NativeServer<string[]>> {
  const { env, guard, secureKafka: secure } = context;
  const java = await findJava(env);
  const jars = join(context.cacheDir, `kafka-${KAFKA_VERSION}`);
  await downloadJars({
    what: `Kafka ${KAFKA_VERSION}`,
    target: jars,
    artifacts: KAFKA_ARTIFACTS,
    withDependencies: true,
    announce: () => context.progress('kafka', `downloading Kafka ${KAFKA_VERSION} (43 MB, first run only)`),
    env,
    guard,
  });

  const dir = join(context.dir, 'kafka');
  const logDir = join(dir, 'log');
  const properties = join(dir, 'server.properties');
  const log4j = join(dir, 'log4j2.properties');
  await mkdir(dir, { recursive: true });
  const port = await freePort();
  const controllerPort = await freePort(new Set([port]));
  await writeFile(
    properties,
    kafkaProperties({ port, controllerPort, logDir, ...(secure === undefined ? {} : { secure }) }),
  );
  await writeFile(log4j, LOG4J_PROPERTIES);
  const javaArgs = [...KAFKA_JAVA_OPTIONS, `-Dlog4j2.configurationFile=${log4j}`, '-cp', join(jars, '*')];

  if (!existsSync(join(logDir, 'meta.properties'))) await format();
  context.progress('kafka', 'starting');
  const server = new ServerProcess(
    {
      name: 'Kafka',
      command: java,
      args: [...javaArgs, 'kafka.Kafka', properties],
      env,
      cwd: dir,
      logFile: join(dir, 'kafka.log'),
    },
    guard,
  );
  await server.waitUntilReady(() => kafkaAnswers(port), READY_TIMEOUT_MS);
  return { server, address: [`127.0.0.1:${port}`], shown: `127.0.0.1:${port}`, graceMs: STOP_GRACE_MS };

  async function format(): Promise<void> {
    // A cluster id is a UUID in URL-safe base 64: 22 characters, of which the first must not be a dash.
    const clusterId = Buffer.concat([Buffer.from([0x5a]), randomBytes(15)]).toString('base64url');
    const args = [
      ...['-XX:TieredStopAtLevel=1', ...javaArgs, 'kafka.tools.StorageTool', 'format'],
      ...['-t', clusterId, '-c', properties],
      ...(secure === undefined
        ? []
        : ['--add-scram', `SCRAM-SHA-256=[name=${secure.username},password=${secure.password}]`]),
    ];
    const result = await runTool({ command: java, args, cwd: dir, env, timeoutMs: FORMAT_TIMEOUT_MS, guard });
    if (result?.code === 0) return;
    const said = tailOf(result?.output ?? '');
    throw new SpanloomError('STACK_SERVER_FAILED', `Kafka could not format its data folder ${logDir}:\n${said}`);
  }
}

const FORMAT_TIMEOUT_MS = 60_000;
/** On one busy core a broker takes 20 s; with much data to check it takes longer. */
const READY_TIMEOUT_MS = 120_000;
const STOP_GRACE_MS = 20_000;
