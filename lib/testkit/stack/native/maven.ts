import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SpanloomError } from '../../../errors/spanloom-error.ts';
import type { Guard } from './guard.ts';
import { runTool, tailOf } from './run-tool.ts';

export interface MavenDownload {
  /** `Kafka 4.2.0` */
  readonly what: string;
  /** Folder that then holds the jars. When it exists, nothing is done: it appears only whole. */
  readonly target: string;
  /** `groupId:artifactId:version[:jar:classifier]` each. */
  readonly artifacts: readonly string[];
  /** With the jars that the artifacts need, or the artifacts alone. */
  readonly withDependencies: boolean;
  /** Called when there is something to download. */
  announce(): void;
  readonly env: NodeJS.ProcessEnv;
  readonly guard: Guard;
}

/**
 * Gets jars through Maven, with the mirrors and proxies that the user's Maven is set up with.
 * @throws SpanloomError STACK_TOOL_MISSING, STACK_DOWNLOAD_FAILED
 */
export async function downloadJars(download: MavenDownload): Promise<void> {
  if (existsSync(download.target)) return;
  download.announce();
  await mkdir(dirname(download.target), { recursive: true });
  // Two processes may download at the same time: each into a folder of its own, and the first to finish wins.
  const work = await mkdtemp(join(dirname(download.target), `.${basename(download.target)}-`));
  try {
    await writeFile(join(work, 'pom.xml'), pomOf(download));
    const result = await runTool({
      command: 'mvn',
      args: ['-q', '-B', '-f', join(work, 'pom.xml'), COPY_DEPENDENCIES, `-DoutputDirectory=${join(work, 'jars')}`],
      cwd: work,
      env: download.env,
      timeoutMs: DOWNLOAD_TIMEOUT_MS,
      guard: download.guard,
    });
    if (result === undefined) {
      throw new SpanloomError(
        'STACK_TOOL_MISSING',
        `${download.what} is downloaded with Maven, but 'mvn' is not installed. Install it (Debian, Ubuntu: apt-get ` +
          'install maven), start Docker, or give addresses in KAFKA_BROKERS, REDIS_URL and S3_ENDPOINT.',
      );
    }
    if (result.code !== 0) {
      throw new SpanloomError(
        'STACK_DOWNLOAD_FAILED',
        `Maven could not download ${download.what}. What it said at the end:\n${tailOf(result.output)}`,
        { retryable: true },
      );
    }
    await rename(join(work, 'jars'), download.target).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(download.target)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const DOWNLOAD_TIMEOUT_MS = 600_000;

function pomOf({ artifacts, withDependencies }: MavenDownload): string {
  const dependencies = artifacts.map((artifact) => {
    const [groupId, artifactId, version, type, classifier] = artifact.split(':');
    const rest = [
      ...(type === undefined ? [] : [`<type>${type}</type>`]),
      ...(classifier === undefined ? [] : [`<classifier>${classifier}</classifier>`]),
      ...(withDependencies
        ? []
        : ['<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>']),
    ].join('');
    return `    <dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version>${rest}</dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>spanloom</groupId>
  <artifactId>download</artifactId>
  <version>1</version>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`;
}
