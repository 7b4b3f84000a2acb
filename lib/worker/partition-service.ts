import type { Kafka } from 'kafkajs';
import { describeError, SpanloomError } from '../errors/spanloom-error.ts';
import { openFencedWriter } from '../kafka/fenced-writer.ts';
import { joinGroup } from '../kafka/membership.ts';
import { murmur2 } from '../kafka/murmur2.ts';
import { createLogs, type PartitionLogs } from '../kafka/partition-log.ts';
import type { AssignedPartition } from '../kafka/types.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Clock, Random } from '../runtime/clock.ts';
import { crashPoint } from '../runtime/crash-point.ts';
import { groupId, transactionalId } from '../topics/topics.ts';
import { PartitionGroup } from './partition-group.ts';
import { PartitionWorker } from './partition-worker.ts';
import type { Stage, WorkerEvents, WorkerSettings } from './types.ts';

export interface PartitionServiceOptions {
  readonly kafka: Kafka;
  /** SPANLOOM_PREFIX. */
  readonly prefix: string;
  /** e.g. `trace-assembler`; heads the group id, the transactional ids and the ledger keys. */
  readonly service: string;
  /** Topics whose partitions the group shares out; `/…/` is a regular expression. */
  readonly inputTopics: readonly string[];
  readonly ledgerTopic: string;
  /** Partitions of the ledger topic. */
  readonly partitions: number;
  /**
   * True when worker p reads partition p of the only input topic: it then has ledger[p] to itself. Else the ledger
   * partition is a hash of the worker's key.
   */
  readonly oneToOne: boolean;
  /** Called for each start of a partition's worker; `logs` reads any partition. */
  createStage(input: AssignedPartition, logs: PartitionLogs): Stage;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly commitIntervalMs: number;
  readonly fetchBytesMax: number;
}

/** A service that is one worker for each partition: everything around the stage. */
export interface PartitionService {
  /** `true` when partitions are at work, else why not. */
  ready(): true | string;
  /** Drains every partition and leaves the group. */
  stop(): Promise<void>;
}

export async function startPartitionService(options: PartitionServiceOptions): Promise<PartitionService> {
  const { kafka, prefix, service } = options;
  const logs = createLogs(kafka);
  let joined = false;
  const group: PartitionGroup = new PartitionGroup({
    join: (onAssignment) =>
      joinGroup(kafka, {
        groupId: groupId(prefix, service),
        topics: [...options.inputTopics],
        onAssignment: (assigned) => {
          joined = true;
          options.logger.info('assigned', { partitions: assigned.map((p) => `${p.topic}/${p.partition}`) });
          onAssignment(assigned);
        },
      }),
    createWorker: (input) => createWorker(options, logs, input, (next) => group.reportOffset(input, next)),
  });
  await group.start();
  return {
    ready: () => joined || 'waiting for the consumer group to assign partitions',
    stop: async () => {
      await group.stop();
      await logs.close();
    },
  };
}

function createWorker(
  options: PartitionServiceOptions,
  logs: PartitionLogs,
  input: AssignedPartition,
  reportOffset: (nextOffset: number) => void,
): PartitionWorker {
  const key = `${options.service}/${input.topic}/${input.partition}`;
  const keyBytes = Buffer.from(key);
  const settings: WorkerSettings = {
    key,
    ledgerTopic: options.ledgerTopic,
    ledgerPartition: options.oneToOne
      ? input.partition
      : (murmur2(keyBytes, 0, keyBytes.length) & 0x7fffffff) % options.partitions,
    commitIntervalMs: options.commitIntervalMs,
    fetchBytesMax: options.fetchBytesMax,
    fetchWaitMs: FETCH_WAIT_MS,
    handOffWaitMs: HAND_OFF_WAIT_MS,
    orphaned: input.orphaned ?? false,
    retryMs: RETRY_MS,
    retryMaxMs: RETRY_MAX_MS,
  };
  const id = options.oneToOne ? String(input.partition) : `${input.topic}-${input.partition}`;
  return new PartitionWorker(settings, options.createStage(input, logs), {
    input: logs.open(input.topic, input.partition),
    ledger: logs.open(settings.ledgerTopic, settings.ledgerPartition),
    openWriter: () =>
      openFencedWriter(options.kafka, { transactionalId: transactionalId(options.prefix, options.service, id) }),
    clock: options.clock,
    randomHex: (bytes) => options.random.hex(bytes),
    events: workerEvents(options, input, reportOffset),
    crashPoint,
  });
}

function workerEvents(
  { logger, metrics, clock }: PartitionServiceOptions,
  input: AssignedPartition,
  reportOffset: (nextOffset: number) => void,
): WorkerEvents {
  const count = (error: unknown) => metrics.errors(error instanceof SpanloomError ? error.code : 'UNEXPECTED', 1);
  return {
    started: (worker, position) => logger.info('partition started', { worker, position }),
    failed: (worker, error, retryInMs) => {
      count(error);
      const stack = error instanceof SpanloomError ? undefined : (error as Error | undefined)?.stack;
      logger.warn('partition begins again', { worker, error: describeError(error), retryInMs, stack });
    },
    gap: (worker, from, to) => {
      metrics.dropped('offsets_lost', to - from);
      logger.error('input offsets are gone before they were read', { worker, from, to, offsets: to - from });
    },
    committed: (_worker, position, lagRecords, streamTimeMs) => {
      const behindMs = lagRecords === 0 || streamTimeMs === 0 ? 0 : Math.max(0, clock.wallMs() - streamTimeMs);
      metrics.lag(input.topic, input.partition, lagRecords, behindMs / 1000);
      reportOffset(position);
    },
    stopped: (worker, clean, error) => {
      metrics.lagGone(input.topic, input.partition);
      if (error === undefined) logger.info('partition stopped', { worker, clean });
      else {
        count(error);
        logger.warn('partition stopped without a drain', { worker, error: describeError(error) });
      }
    },
  };
}

const FETCH_WAIT_MS = 500;
const HAND_OFF_WAIT_MS = 3_000;
const RETRY_MS = 250;
const RETRY_MAX_MS = 10_000;
