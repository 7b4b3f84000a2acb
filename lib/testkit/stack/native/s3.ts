import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SpanloomError } from '../../../errors/spanloom-error.ts';
import { ensureBucket } from '../s3-bucket.ts';
import { S3_ACCESS_KEY_ID, S3_REGION, S3_SECRET_ACCESS_KEY, type S3Address } from '../types.ts';
import { findJava } from './java.ts';
import { downloadJars } from './maven.ts';
import type { NativeContext, NativeServer } from './native-stack.ts';
import { freePort } from './ports.ts';
import { httpAnswers } from './probes.ts';
import { runTool } from './run-tool.ts';
import { type ServerCommand, ServerProcess } from './server-process.ts';

/** versitygw when VERSITYGW_BIN names it or it is on PATH; else S3Proxy from Maven Central. Both honour If-None-Match. */
export async function startNativeS3(context: NativeContext): Promise<NativeServer<S3Address>> {
  const port = await freePort();
  const dir = join(context.dir, 's3');
  const objects = join(dir, 'objects');
  await mkdir(objects, { recursive: true });
  const versitygw = await findVersitygw(context.env);
  const command =
    versitygw === undefined
      ? await s3proxyCommand(context, { port, dir, objects })
      : await versitygwCommand(versitygw, { port, dir, objects }, context.env);
  context.progress('s3', `starting (${command.name})`);
  const server = new ServerProcess(command, context.guard);
  await server.waitUntilReady(() => httpAnswers(port), READY_TIMEOUT_MS);
  const address: S3Address = {
    endpoint: `http://127.0.0.1:${port}`,
    bucket: context.bucket,
    accessKeyId: S3_ACCESS_KEY_ID,
    secretAccessKey: S3_SECRET_ACCESS_KEY,
    region: S3_REGION,
  };
  await ensureBucket(address, { timeoutMs: READY_TIMEOUT_MS });
  return { server, address, shown: address.endpoint, graceMs: STOP_GRACE_MS };
}

const READY_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 5_000;
const S3PROXY_VERSION = '4.1.0';

interface Place {
  readonly port: number;
  readonly dir: string;
  readonly objects: string;
}

async function findVersitygw(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const named = env['VERSITYGW_BIN'];
  if (named && !existsSync(named)) {
    throw new SpanloomError('STACK_SETTING_INVALID', `VERSITYGW_BIN names ${named}, which does not exist.`);
  }
  const command = named || 'versitygw';
  const answer = await runTool({ command, args: ['--version'], env, timeoutMs: 10_000 });
  return answer === undefined ? undefined : command;
}

/** Paths must be absolute, because it changes its folder; without an IAM folder an unknown key would give 404. */
async function versitygwCommand(
  command: string,
  { port, dir, objects }: Place,
  env: NodeJS.ProcessEnv,
): Promise<ServerCommand> {
  const iam = join(dir, 'iam');
  await mkdir(iam, { recursive: true });
  return {
    name: 'versitygw',
    command,
    args: [
      ...['--quiet', '--keep-alive', '--iam-dir', iam, '--health', '/health', '--region', S3_REGION],
      ...['--port', `127.0.0.1:${port}`, 'posix', objects],
    ],
    env: { ...env, ROOT_ACCESS_KEY: S3_ACCESS_KEY_ID, ROOT_SECRET_KEY: S3_SECRET_ACCESS_KEY },
    cwd: dir,
    logFile: join(dir, 's3.log'),
  };
}

async function s3proxyCommand(context: NativeContext, { port, dir, objects }: Place): Promise<ServerCommand> {
  const java = await findJava(context.env);
  const jars = join(context.cacheDir, `s3proxy-${S3PROXY_VERSION}`);
  await downloadJars({
    what: `S3Proxy ${S3PROXY_VERSION}`,
    target: jars,
    // The jar that holds everything: its dependencies taken one by one clash.
    artifacts: [`org.gaul:s3proxy:${S3PROXY_VERSION}:jar:jar-with-dependencies`],
    withDependencies: false,
    announce: () => context.progress('s3', `downloading S3Proxy ${S3PROXY_VERSION} (55 MB, first run only)`),
    env: context.env,
    guard: context.guard,
  });
  const settings = join(dir, 's3proxy.conf');
  await writeFile(
    settings,
    [
      `s3proxy.endpoint=http://127.0.0.1:${port}`,
      's3proxy.authorization=aws-v2-or-v4',
      `s3proxy.identity=${S3_ACCESS_KEY_ID}`,
      `s3proxy.credential=${S3_SECRET_ACCESS_KEY}`,
      'jclouds.provider=filesystem-nio2',
      // Absolute: with a relative folder every multipart upload fails.
      `jclouds.filesystem.basedir=${objects}`,
      '',
    ].join('\n'),
  );
  const jar = join(jars, `s3proxy-${S3PROXY_VERSION}-jar-with-dependencies.jar`);
  return {
    name: 'S3Proxy',
    command: java,
    args: ['-Xmx512m', '-XX:+UseSerialGC', '-jar', jar, '--properties', settings],
    env: context.env,
    cwd: dir,
    logFile: join(dir, 's3.log'),
  };
}
