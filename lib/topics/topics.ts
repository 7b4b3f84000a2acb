import type { TopicSpec } from '../kafka/topics.ts';

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

export interface TopicOptions {
  /** Of all topics that are worked on by partition. */
  readonly partitions: number;
  /** Of topics that are created; default 1. */
  readonly replication?: number;
  /** Default 24 h. */
  readonly spansRetentionMs?: number;
  /** Of traces and service edges; at least twice that of spans. Default 72 h. */
  readonly tracesRetentionMs?: number;
}

/**
 * How each topic is created, and what of it is checked at every start. Checked is what the promises rest on; the rest
 * (`initialConfig`) is the operator's to change.
 *
 * All take the broker's append time, so that no producer's clock decides what retention deletes or when a window
 * closes. Retention of spans must be exactly as set and that of traces at least: then traces outlive spans twice over,
 * which recovery needs, whatever was changed on the cluster.
 */
export function topicSpecs(prefix: string, options: TopicOptions): readonly TopicSpec[] {
  const names = topicNames(prefix);
  const spansMs = options.spansRetentionMs ?? 24 * HOUR_MS;
  const tracesMs = options.tracesRetentionMs ?? 72 * HOUR_MS;
  if (tracesMs < 2 * spansMs) throw new RangeError(`Traces kept ${tracesMs} ms, spans ${spansMs} ms: less than twice`);
  const { partitions, replication = 1 } = options;
  // Retention deletes whole segments: short ones keep what is retained near to what is promised.
  return [
    log(names.spans, { partitions, retentionMs: spansMs, segmentMs: HOUR_MS }, { exactRetention: true }),
    log(names.traces, { partitions, retentionMs: tracesMs, segmentMs: 6 * HOUR_MS }, {}),
    log(names.serviceEdges, { partitions, retentionMs: tracesMs, segmentMs: 6 * HOUR_MS }, {}),
    topic(names.incidents, 1, 'compact,delete', {
      'segment.ms': String(HOUR_MS),
      'retention.ms': String(30 * DAY_MS),
    }),
    topic(names.alerterState, 1, 'compact', SHORT_SEGMENTS),
    // Any service appends here; how many partitions it has, nobody relies on.
    { ...topic(names.deadLetters, 1, 'delete', { 'retention.ms': String(7 * DAY_MS) }), partitionsMin: 1 },
    topic(names.routerLedger, partitions, 'compact', SHORT_SEGMENTS),
    topic(names.assemblerLedger, partitions, 'compact', SHORT_SEGMENTS),
    topic(names.graphLedger, partitions, 'compact', SHORT_SEGMENTS),
  ].map((spec) => withCommon(spec, replication));
}

/** Largest record batch on our topics; a send is at most half of it before compression. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A ledger is read back at every take-over: compaction must come round often, and it skips the newest segment. */
const SHORT_SEGMENTS = { 'segment.ms': String(10 * 60_000), 'segment.bytes': String(16 * 1024 * 1024) };

function log(
  name: string,
  { partitions, retentionMs, segmentMs }: { partitions: number; retentionMs: number; segmentMs: number },
  { exactRetention = false }: { exactRetention?: boolean },
): TopicSpec {
  return {
    name,
    partitions,
    config: { 'cleanup.policy': 'delete', 'retention.ms': String(retentionMs), 'retention.bytes': '-1' },
    atLeast: exactRetention ? [] : ['retention.ms'],
    initialConfig: { 'segment.ms': String(segmentMs) },
  };
}

function topic(name: string, partitions: number, policy: string, initialConfig: Record<string, string>): TopicSpec {
  return { name, partitions, config: { 'cleanup.policy': policy }, initialConfig };
}

function withCommon(spec: TopicSpec, replication: number): TopicSpec {
  return {
    ...spec,
    config: {
      ...spec.config,
      'message.timestamp.type': 'LogAppendTime',
      'max.message.bytes': String(MESSAGE_BYTES_MAX),
      'unclean.leader.election.enable': 'false',
    },
    atLeast: [...(spec.atLeast ?? []), 'max.message.bytes'],
    initialConfig: {
      ...spec.initialConfig,
      'compression.type': 'producer',
      // A commit is then on two disks. Kafka's default of 1 would let a single broker acknowledge and lose it.
      ...(replication > 1 ? { 'min.insync.replicas': '2' } : {}),
    },
  };
}
