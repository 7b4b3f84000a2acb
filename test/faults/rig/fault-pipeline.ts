import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Admin } from 'kafkajs';
import { SPANS_PER_MESSAGE } from '../../../bench/spans.ts';
import { connectKafka } from '../../../cli/kafka/connect.ts';
import type { ServiceName } from '../../../cli/services.ts';
import { createKafka } from '../../../lib/kafka/client.ts';
import { stackEnvironment } from '../../../lib/testkit/stack/stack.ts';
import { inspectTopics } from '../../../lib/topics/prepare-topics.ts';
import { type TopicNames, topicNames } from '../../../lib/topics/topics.ts';
import type { AuditResult } from '../../support/audited-pipeline.ts';
import { uniquePrefix } from '../../support/stack.ts';
import { FaultProcess } from './fault-process.ts';
import type { FaultStack } from './fault-stack.ts';
import { PARTITIONS } from './positions.ts';
import { settle } from './settle.ts';
import { SpanSource } from './span-source.ts';

export interface FaultPipelineOptions {
  /** Lower case and dashes; heads the prefix. */
  readonly name: string;
  /** Processes by service; default one of each but the alerter, whose output the audit does not judge. */
  readonly scale?: Readonly<Partial<Record<ServiceName, number>>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly seed?: number;
}

/** The services as processes behind proxies, with short time-outs, and `spanloom audit` to judge what came through. */
export class FaultPipeline {
  readonly stack: FaultStack;
  readonly prefix: string;
  readonly ingestTopic: string;
  readonly topics: TopicNames;
  readonly source: SpanSource;
  readonly admin: Admin;
  readonly processes: FaultProcess[] = [];
  /** Set by a fault behind which only what is appended from then on can be judged. Epoch milliseconds. */
  judgedFromMs: number | undefined;
  /** Straight to the servers, past all proxies. */
  readonly env: Readonly<Record<string, string>>;
  private readonly logFolder = mkdtempSync(path.join(tmpdir(), 'spanloom-fault-logs-'));

  private constructor(stack: FaultStack, options: FaultPipelineOptions) {
    this.stack = stack;
    this.prefix = uniquePrefix(options.name);
    this.ingestTopic = `${this.prefix}-otlp`;
    this.topics = topicNames(this.prefix);
    const { kafka: brokers } = stack.addresses;
    this.source = new SpanSource(brokers, this.ingestTopic, options.seed ?? 1);
    this.admin = createKafka({ brokers, clientId: 'fault-tests' }).admin();
    this.env = {
      ...stackEnvironment(stack.addresses),
      S3_FORCE_PATH_STYLE: 'true',
      SPANLOOM_PREFIX: this.prefix,
      PARTITIONS: String(PARTITIONS),
      INGEST_TOPICS: this.ingestTopic,
      LOG_FORMAT: 'json',
      METRICS_PORT: '0',
      TRACE_IDLE_TIMEOUT_MS: '1000',
      TRACE_ROOTLESS_IDLE_TIMEOUT_MS: '2000',
      TRACE_HORIZON_MS: '20000',
      ARCHIVE_RANGE_AGE_MAX_MS: '1000',
      ...options.env,
    };
  }

  /** Resolves when every process is ready. */
  static async start(stack: FaultStack, options: FaultPipelineOptions): Promise<FaultPipeline> {
    const pipeline = new FaultPipeline(stack, options);
    await pipeline.admin.connect();
    await pipeline.createTopics();
    await pipeline.source.connect();
    const scale = { ...SCALE, ...options.scale };
    for (const [service, count] of Object.entries(scale) as [ServiceName, number][]) {
      for (let i = 1; i <= count; i++) await pipeline.add(service, count === 1 ? service : `${service}-${i}`);
    }
    await Promise.all(pipeline.processes.map((process) => process.start()));
    return pipeline;
  }

  /** The only process of a service, or the nth of several. */
  process(service: ServiceName, nth = 1): FaultProcess {
    const found = this.processes.filter((process) => process.service === service)[nth - 1];
    if (found === undefined) throw new Error(`there is no ${service} ${nth}`);
    return found;
  }

  /** One more process, not yet started. */
  async add(service: ServiceName, name: string, env: Readonly<Record<string, string>> = {}): Promise<FaultProcess> {
    const process = await FaultProcess.open({
      service,
      name,
      addresses: this.stack.addresses,
      env: { ...globalThis.process.env, ...this.env, ...env },
      logFolder: this.logFolder,
    });
    this.processes.push(process);
    return process;
  }

  async remove(process: FaultProcess): Promise<void> {
    this.processes.splice(this.processes.indexOf(process), 1);
    await process.close();
  }

  /**
   * Spans that the ingest topic still holds: what the audit of the bundles must match. The topic itself is asked, since a
   * send that is tried again while the broker is killed may be in it twice.
   * @throws when Kafka has lost a message that it had acknowledged.
   */
  async retainedSpans(): Promise<number> {
    const offsets = await this.admin.fetchTopicOffsets(this.ingestTopic);
    const sum = (end: 'low' | 'high') => offsets.reduce((total, offset) => total + Number(offset[end]), 0);
    const { messages, others } = this.source;
    if (sum('high') < messages + others.records) throw new Error('Kafka has lost what it had acknowledged');
    return (sum('high') - sum('low') - others.records) * SPANS_PER_MESSAGE + others.spans;
  }

  /**
   * The first audit that finds all that was sent through every stage; fails when that does not come in time.
   * @param expected what the audit of the bundles must have matched.
   */
  async settled(expected: number, withinMs?: number): Promise<AuditResult> {
    try {
      return await settle(this, expected, withinMs);
    } catch (error) {
      throw new Error(`${String(error)}\n${this.warnings()}`);
    }
  }

  /** What the services have complained of last, for the message of a test that failed. */
  warnings(): string {
    return this.processes
      .map((process) => {
        const lines = process.log().filter((line) => /"level":"(warn|error)"/.test(line));
        return `${process.name} (${process.deaths.join(', ') || 'alive'})\n${lines.slice(-8).join('\n')}`;
      })
      .join('\n');
  }

  async stop(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.close()));
    await this.source.close();
    await this.admin.disconnect();
    rmSync(this.logFolder, { recursive: true, force: true });
  }

  /** Those that are missing. */
  async createTopics(): Promise<void> {
    const { kafka, settings } = connectKafka({ ...this.env }, undefined);
    const ingest = { name: this.ingestTopic, partitions: PARTITIONS, partitionsMin: 1, config: {} };
    const { problems } = await inspectTopics(kafka, settings, { create: true, besides: [ingest] });
    if (problems.length > 0) throw new Error(problems.join('\n'));
  }
}

const SCALE = { 'span-router': 1, 'trace-assembler': 1, 'graph-builder': 1, archiver: 1 } as const;
