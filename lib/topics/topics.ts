import { SpanloomError } from '../errors/spanloom-error.ts';

/** The topics that Spanloom owns, by what they hold. Ingest topics belong to the user. */
export interface TopicNames {
  readonly spans: string;
  readonly traces: string;
  readonly serviceEdges: string;
  readonly incidents: string;
  readonly alerterState: string;
  readonly deadLetters: string;
  readonly routerLedger: string;
  readonly assemblerLedger: string;
  readonly graphLedger: string;
}

export function topicNames(prefix: string): TopicNames {
  return {
    spans: `${prefix}.spans`,
    traces: `${prefix}.traces`,
    serviceEdges: `${prefix}.service-edges`,
    incidents: `${prefix}.incidents`,
    alerterState: `${prefix}.alerter-state`,
    deadLetters: `${prefix}.dead-letters`,
    routerLedger: `${prefix}.router-ledger`,
    assemblerLedger: `${prefix}.assembler-ledger`,
    graphLedger: `${prefix}.graph-ledger`,
  };
}

/** The consumer group of a service. */
export function groupId(prefix: string, service: string): string {
  return `${prefix}-${service}`;
}

/**
 * The transactional id of one partition's worker: opening a producer with it fences the former owner. The router's
 * partitions belong to several topics; its `partition` is `<topic>-<partition>`.
 */
export function transactionalId(prefix: string, service: string, partition: number | string): string {
  return `${prefix}-${service}-${partition}`;
}

/** A topic as it is created, and as it is checked at every start. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly replication: number;
  /** Kafka's names and values, set at creation. */
  readonly configs: Readonly<Record<string, string>>;
  /** Of those, what other parts rest on: another value on the cluster is refused. The rest is the operator's to change. */
  readonly required: readonly string[];
}

export interface TopicOptions {
  readonly partitions: number;
  readonly replication: number;
  /** Default 24 h. */
  readonly spansRetentionMs?: number;
  /** Of traces and service edges; at least twice that of spans. Default 72 h. */
  readonly tracesRetentionMs?: number;
}

/**
 * All topics of a pipeline. Every one takes the broker's append time, so that no producer's clock decides what
 * retention deletes or when a window closes.
 * @throws SpanloomError TOPIC_RETENTION when traces would not be kept twice as long as spans.
 */
export function topicSpecs(prefix: string, options: TopicOptions): Readonly<Record<keyof TopicNames, TopicSpec>> {
  const names = topicNames(prefix);
  const { partitions, replication } = options;
  const spansRetentionMs = options.spansRetentionMs ?? 24 * HOUR_MS;
  const tracesRetentionMs = options.tracesRetentionMs ?? 72 * HOUR_MS;
  if (tracesRetentionMs < TRACES_PER_SPANS_RETENTION * spansRetentionMs) {
    throw retentionError(names.traces, tracesRetentionMs, names.spans, spansRetentionMs);
  }
  const spec = (name: string, count: number, configs: Record<string, string>, required: string[]): TopicSpec => ({
    name,
    partitions: count,
    replication,
    configs: { ...configs, ...everyTopic(replication) },
    required: ['cleanup.policy', 'message.timestamp.type', ...required],
  });
  const log = (retentionMs: number, segmentMs: number): Record<string, string> => ({
    'cleanup.policy': 'delete',
    'retention.ms': String(retentionMs),
    'retention.bytes': '-1',
    'segment.ms': String(segmentMs),
  });
  const ledger = (name: string): TopicSpec => spec(name, partitions, LEDGER, []);
  return {
    // Retention deletes whole segments: short ones keep what is retained near to what is promised.
    spans: spec(names.spans, partitions, log(spansRetentionMs, HOUR_MS), ['retention.bytes']),
    traces: spec(names.traces, partitions, log(tracesRetentionMs, 6 * HOUR_MS), ['retention.bytes']),
    serviceEdges: spec(names.serviceEdges, partitions, log(tracesRetentionMs, 6 * HOUR_MS), []),
    incidents: spec(
      names.incidents,
      1,
      { 'cleanup.policy': 'compact,delete', 'retention.ms': String(30 * 24 * HOUR_MS), 'segment.ms': String(HOUR_MS) },
      [],
    ),
    alerterState: spec(names.alerterState, 1, LEDGER, []),
    deadLetters: spec(names.deadLetters, 1, log(7 * 24 * HOUR_MS, 24 * HOUR_MS), []),
    routerLedger: ledger(names.routerLedger),
    assemblerLedger: ledger(names.assemblerLedger),
    graphLedger: ledger(names.graphLedger),
  };
}

export const HOUR_MS = 3_600_000;
/** Recovery reads traces back to a position from before the lowest open span was applied (design: at least 2 ×). */
export const TRACES_PER_SPANS_RETENTION = 2;
/** Largest record batch on our topics; a send is at most half of it before compression. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

/** Small segments, so that compaction keeps a ledger short and taking over a partition quick. */
const LEDGER = {
  'cleanup.policy': 'compact',
  'segment.ms': String(10 * 60_000),
  'segment.bytes': String(16 * 1024 * 1024),
};

function everyTopic(replication: number): Record<string, string> {
  return {
    'message.timestamp.type': 'LogAppendTime',
    'max.message.bytes': String(MESSAGE_BYTES_MAX),
    'compression.type': 'producer',
    'unclean.leader.election.enable': 'false',
    ...(replication > 1 ? { 'min.insync.replicas': '2' } : {}),
  };
}

export function retentionError(traces: string, tracesMs: number, spans: string, spansMs: number): SpanloomError {
  return new SpanloomError(
    'TOPIC_RETENTION',
    `${traces} keeps records ${tracesMs} ms and ${spans} ${spansMs} ms; traces must be kept at least ${TRACES_PER_SPANS_RETENTION} times as long, because recovery reads them back further`,
  );
}
