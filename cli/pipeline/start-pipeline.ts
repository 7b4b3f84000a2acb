import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SpanloomError } from '../../lib/errors/spanloom-error.ts';
import { type Stack, type StackAddresses, stackEnvironment, startStack } from '../../lib/testkit/stack/stack.ts';
import { inspectTopics } from '../../lib/topics/prepare-topics.ts';
import { connectKafka } from '../kafka/connect.ts';
import type { ServiceName } from '../services.ts';
import type { ProcessEvent } from '../supervisor/supervised-process.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import { usualPorts } from './usual-ports.ts';

export interface PipelineOptions {
  readonly services: ReadonlyMap<ServiceName, number>;
  /** Keeps Kafka's, Redis's and S3's data and the logs; else they are temporary. */
  readonly dataDir: string | undefined;
  readonly partitions: number;
  /** SPANLOOM_PREFIX. */
  readonly prefix: string;
  readonly ingestTopic: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Settings of the services that win over the environment. */
  readonly settings: Readonly<Record<string, string>>;
  readonly onProgress: (line: string) => void;
  readonly onEvent: (event: ProcessEvent) => void;
  /** When aborted, the start ends with an error as soon as it can. */
  readonly signal: AbortSignal;
}

export interface Pipeline {
  readonly addresses: StackAddresses;
  readonly supervisor: Supervisor;
  /** What the services were given, so that a client of the same settings reaches the same things. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly prefix: string;
  readonly ingestTopic: string;
  readonly logFolder: string;
  /** Drains the services, then stops what was started of the stack. Safe to call twice. */
  stop(): Promise<void>;
}

/** Kafka, Redis and S3, the topics, and every service ready. On failure everything is stopped again. */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { onProgress } = options;
  const logFolder = makeLogFolder(options.dataDir);
  const stack = await startStack({
    env: { ...options.env },
    onProgress,
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
  });
  let supervisor: Supervisor | undefined;
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= stopAll(supervisor, stack, options.dataDir === undefined ? logFolder : undefined);
    return stopping;
  };
  try {
    stopIfAborted(options.signal);
    const env = { ...pipelineEnvironment(options, stack, logFolder), ...(await usualPorts(options.env)) };
    await createTopics(env, options);
    stopIfAborted(options.signal);
    supervisor = new Supervisor({ scale: options.services, env, logFolder, onEvent: options.onEvent });
    const startedAtMs = performance.now();
    await supervisor.start(options.signal);
    onProgress(`all services ready (${((performance.now() - startedAtMs) / 1000).toFixed(1)} s)`);
    const { prefix, ingestTopic } = options;
    return { addresses: stack.addresses, supervisor, env, prefix, ingestTopic, logFolder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Some clients of Kafka's address want one string. */
export function bootstrapOf(addresses: StackAddresses): string {
  return addresses.kafka.join(',');
}

function makeLogFolder(dataDir: string | undefined): string {
  if (dataDir === undefined) return mkdtempSync(path.join(tmpdir(), 'spanloom-logs-'));
  const folder = path.resolve(dataDir, 'logs');
  mkdirSync(folder, { recursive: true });
  return folder;
}

function pipelineEnvironment(
  { env, settings, prefix, partitions, ingestTopic, dataDir }: PipelineOptions,
  stack: Stack,
  logFolder: string,
): Record<string, string | undefined> {
  const consoleFolder = dataDir === undefined ? path.join(logFolder, 'console-data') : path.resolve(dataDir, 'console');
  return {
    ...env,
    ...stackEnvironment(stack.addresses),
    S3_FORCE_PATH_STYLE: env['S3_FORCE_PATH_STYLE'] ?? 'true',
    SPANLOOM_PREFIX: prefix,
    PARTITIONS: String(partitions),
    INGEST_TOPICS: ingestTopic,
    COLLECTOR_TOPIC: ingestTopic,
    CONSOLE_DATA_DIR: env['CONSOLE_DATA_DIR'] ?? consoleFolder,
    LOG_FORMAT: 'json',
    METRICS_PORT: '0',
    ...settings,
  };
}

async function createTopics(env: Record<string, string | undefined>, options: PipelineOptions): Promise<void> {
  const { kafka, settings } = connectKafka(env, undefined);
  const { ingestTopic: name, partitions } = options;
  const { problems } = await inspectTopics(kafka, settings, {
    create: true,
    besides: [{ name, partitions, partitionsMin: 1, config: {} }],
  });
  if (problems.length > 0) throw new SpanloomError('TOPICS_WRONG', problems.join(' '));
}

async function stopAll(supervisor: Supervisor | undefined, stack: Stack, temporary: string | undefined): Promise<void> {
  try {
    await supervisor?.stop();
  } finally {
    await stack.stop();
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  }
}

function stopIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new SpanloomError('INTERRUPTED', 'Stopped before everything was up');
}
