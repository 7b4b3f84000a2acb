import { SpanloomError } from '../../../errors/spanloom-error.ts';
import { runTool } from './run-tool.ts';

/**
 * The Java to run servers with: JAVA_HOME's, else the one on PATH.
 * @throws SpanloomError STACK_TOOL_MISSING when there is none, or one below 17.
 */
export async function findJava(env: NodeJS.ProcessEnv): Promise<string> {
  const java = env['JAVA_HOME'] ? `${env['JAVA_HOME']}/bin/java` : 'java';
  const answer = await runTool({ command: java, args: ['-version'], env, timeoutMs: JAVA_TIMEOUT_MS });
  const version = /version "(?:1\.)?(\d+)/.exec(answer?.output ?? '')?.[1];
  if (version === undefined || Number(version) < JAVA_MIN) {
    const found = version === undefined ? `'${java}' does not run` : `'${java}' is Java ${version}`;
    throw new SpanloomError(
      'STACK_TOOL_MISSING',
      `Kafka and the S3 server need Java ${JAVA_MIN} or newer, but ${found}. Install it (Debian, Ubuntu: apt-get install ` +
        'openjdk-17-jre-headless maven), start Docker, or give addresses in KAFKA_BROKERS, REDIS_URL and S3_ENDPOINT.',
    );
  }
  return java;
}

const JAVA_MIN = 17;
const JAVA_TIMEOUT_MS = 30_000;
