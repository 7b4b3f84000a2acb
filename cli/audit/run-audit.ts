import { createHash } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { DATASETS, datasetFolders, isPutUnderWay } from '../../lib/archive/object-keys.ts';
import { type ChainLink, readChain } from '../../lib/archive/read-chain.ts';
import { DECODERS } from '../../lib/codec/ingest/decoders.ts';
import { assembledTraceCodec, deadLetterCodec, serviceEdgeDeltaCodec } from '../../lib/codec/records.ts';
import { partitionOfTraceId } from '../../lib/kafka/murmur2.ts';
import type { PartitionLog } from '../../lib/kafka/types.ts';
import type { Bucket } from '../../lib/s3/bucket.ts';
import type { TopicNames } from '../../lib/topics/topics.ts';
import { buildRange } from '../../services/archiver/core/build-range.ts';
import { OpenRange } from '../../services/archiver/core/range.ts';
import type { GraphServiceSettings } from '../../services/graph-builder/config.ts';
import { GraphStage } from '../../services/graph-builder/core/graph-stage.ts';
import { keyedHash, sha256 } from '../../services/span-router/adapters/hashes.ts';
import { type RouterSettings, redactionOf } from '../../services/span-router/config.ts';
import { RedactionRules } from '../../services/span-router/core/redaction-rules.ts';
import { RouteBuilder } from '../../services/span-router/core/route.ts';
import { encodingOf } from '../../services/span-router/ingest-topics.ts';
import { openTopic } from '../kafka/open-topic.ts';
import { ArchiveTiling } from './archive-tiling.ts';
import { BundleTiling } from './bundle-tiling.ts';
import { decodeOrReport } from './decode-record.ts';
import { EdgeSums } from './edge-sums.ts';
import { newFindings, type StageFindings } from './findings.ts';
import { readLedgers } from './ledgers.ts';
import { readLog } from './read-log.ts';
import { TraceTiling } from './trace-tiling.ts';

export interface AuditOptions {
  readonly kafka: Kafka;
  readonly topics: TopicNames;
  readonly prefix: string;
  readonly router: RouterSettings;
  readonly graph: GraphServiceSettings;
  /** Undefined: there is no archive to audit. */
  readonly bucket: Bucket | undefined;
  readonly onProgress: (sentence: string) => void;
}

/**
 * Reads everything that is retained and says whether it tiles. Ledgers are read first and fix what is due; outputs are
 * read to an end taken after that, so what was committed meanwhile is left out of account, not held against anyone.
 */
export async function runAudit(options: AuditOptions): Promise<StageFindings[]> {
  const closes: (() => Promise<void>)[] = [];
  const open = async (topic: string) => {
    const opened = await openTopic(options.kafka, topic);
    closes.push(() => opened.close());
    return opened.logs;
  };
  try {
    const stages: StageFindings[] = [];
    options.onProgress('ingest records against bundles');
    stages.push(await auditBundles(options, open));
    options.onProgress('bundles against traces');
    stages.push(await auditTraces(options, open));
    options.onProgress('traces against edges');
    stages.push(await auditEdges(options, open));
    if (options.bucket !== undefined) {
      options.onProgress('traces against the archive');
      stages.push(await auditArchive(options, options.bucket, open));
    }
    return stages;
  } finally {
    for (const close of closes.reverse()) await close();
  }
}

type Open = (topic: string) => Promise<readonly PartitionLog[]>;

async function auditBundles({ topics, router }: AuditOptions, open: Open): Promise<StageFindings> {
  const workers = await readLedgers(await open(topics.routerLedger));
  const spans = await open(topics.spans);
  const spansBounds = await Promise.all(spans.map((log) => log.bounds()));
  const inputs = await Promise.all(
    workers.map(async ({ topic, partition, entry }) => {
      const log = (await open(topic))[partition] as PartitionLog;
      const { start, end } = await log.bounds();
      return { topic, partition, log, start, end, applied: entry.applied, source: `${topic}/${partition}` };
    }),
  );
  const cut = new Set(spansBounds.flatMap(({ start }, partition) => (start > 0 ? [partition] : [])));
  const tiling = new BundleTiling(topics.spans, inputs, cut);
  for (const [partition, log] of spans.entries()) {
    const { start, end } = spansBounds[partition] as { start: number; end: number };
    for await (const records of readLog(log, start, end)) {
      for (const record of records) tiling.seeBundle(record, partition);
    }
  }
  for (const [partition, log] of (await open(topics.deadLetters)).entries()) {
    const { start, end } = await log.bounds();
    for await (const records of readLog(log, start, end)) {
      for (const { key, value, offset } of records) {
        const at = `${topics.deadLetters}/${partition}@${offset}`;
        const letter = decodeOrReport(deadLetterCodec, value, at, tiling.findings);
        if (letter !== undefined) tiling.seeLetter(letter, key?.toString() ?? '');
      }
    }
  }
  for (const input of inputs) {
    const { topic, partition, source, log, start, end, applied } = input;
    // Offsets with transaction markers count as records here: what is open is an upper bound.
    tiling.findings.open += Math.max(0, end - applied);
    tiling.findings.gap += start;
    let letterKeys: string[] = [];
    const route = new RouteBuilder(
      {
        topic,
        partition,
        encoding: encodingOf(topic, router.INGEST_TOPICS, router.INGEST_ENCODING),
        partitions: spans.length,
        spanBytesMax: router.SPAN_BYTES_MAX,
        rules: new RedactionRules(redactionOf(router)),
        deadLetterPayload: false,
      },
      {
        decoders: DECODERS,
        partitionOfTrace: (bytes, offset) => partitionOfTraceId(bytes, offset, spans.length),
        hashValue: keyedHash(router.REDACT_HASH_KEY ?? ''),
        sha256,
        encodeDeadLetter: ({ offset, index }) => {
          letterKeys.push(index === null ? `${source}/${offset}` : `${source}/${offset}/${index}`);
          return Buffer.alloc(0);
        },
        earliestOffset: async () => start,
        routed: () => {},
      },
    );
    const unreadable = (first: number) => tiling.expectLetter(`${source}/${first}`, `${source}@${first}`);
    for await (const records of readLog(log, start, applied, unreadable)) {
      for (const record of records) {
        letterKeys = [];
        route.take(record);
        tiling.expect(source, record.offset, { bundles: route.takeBundles(), letterKeys });
        route.clear();
      }
    }
  }
  return tiling.finish();
}

async function auditTraces({ topics }: AuditOptions, open: Open): Promise<StageFindings> {
  const findings = newFindings('traces', 'pairs of trace and offset');
  const entries = new Map(
    (await readLedgers(await open(topics.assemblerLedger))).map(({ partition, entry }) => [partition, entry]),
  );
  const traces = await open(topics.traces);
  for (const [partition, log] of (await open(topics.spans)).entries()) {
    const traceLog = traces[partition] as PartitionLog;
    const [input, output] = [await log.bounds(), await traceLog.bounds()];
    const { applied = 0, low = 0 } = entries.get(partition) ?? {};
    findings.open += Math.max(0, input.end - applied);
    const names = { spans: topics.spans, traces: topics.traces, partition };
    const position = { applied, low, spansStart: input.start, tracesStart: output.start };
    const tiling = new TraceTiling(names, position, findings);
    for await (const records of readLog(traceLog, output.start, output.end)) {
      for (const record of records) {
        const at = `${topics.traces}/${partition}@${record.offset}`;
        const trace = decodeOrReport(assembledTraceCodec, record.value, at, findings);
        if (trace !== undefined) tiling.see(record, trace);
      }
    }
    for await (const records of readLog(log, input.start, Math.min(applied, input.end))) {
      for (const record of records) tiling.expect(record);
    }
    tiling.finish();
  }
  return findings;
}

async function auditEdges({ topics, graph }: AuditOptions, open: Open): Promise<StageFindings> {
  const findings = newFindings('edges', 'counters of edge deltas');
  const edges = await open(topics.serviceEdges);
  const traces = await open(topics.traces);
  const workers = await readLedgers(await open(topics.graphLedger));
  for (const { partition, entry } of workers) {
    const [log, edgeLog] = [traces[partition] as PartitionLog, edges[partition] as PartitionLog];
    const [input, output] = [await log.bounds(), await edgeLog.bounds()];
    if (input.start > 0 || output.start > 0) {
      findings.skipped = `retention has cut partition ${partition}: sums from the beginning cannot be compared`;
      continue;
    }
    // Deltas name no offsets: only when the worker rests do both sides end at the same place.
    const again = (await readLedgers(await open(topics.graphLedger))).find((worker) => worker.partition === partition);
    if (again?.entry.applied !== entry.applied) {
      findings.skipped = `partition ${partition} is being written; audit the edges when it rests`;
      continue;
    }
    findings.open += Math.max(0, input.end - entry.applied);
    const expected = new EdgeSums();
    const stage = new GraphStage(
      {
        tracesTopic: topics.traces,
        edgesTopic: topics.serviceEdges,
        deadLettersTopic: topics.deadLetters,
        partition,
        mode: graph.GRAPH_MODE,
        ownerAttribute: graph.GRAPH_OWNER_ATTRIBUTE,
        names: {
          services: graph.GRAPH_SERVICES_MAX,
          operations: graph.GRAPH_OPERATIONS_MAX,
          operationsPerService: graph.GRAPH_OPERATIONS_PER_SERVICE_MAX,
        },
        earlier: { horizonMs: graph.GRAPH_HORIZON_MS, tracesMax: graph.GRAPH_TRACES_MAX },
        traceBytesMax: graph.GRAPH_TRACE_BYTES_MAX,
        rowsMax: Number.POSITIVE_INFINITY,
      },
      {
        traces: log,
        sha256,
        encodeDelta: () => Buffer.alloc(0),
        encodeDeadLetter: () => Buffer.alloc(0),
        folded: ({ deltas }) => {
          for (const delta of deltas) expected.add(delta);
        },
      },
    );
    await stage.recover(undefined, { nonce: 'audit' });
    for await (const records of readLog(log, 0, entry.applied)) {
      const nextOffset = (records.at(-1)?.offset ?? -1) + 1;
      if (records.length === 0) continue;
      await stage.apply(records, { nextOffset, streamTimeMs: 0, caughtUp: false });
      if ((await stage.prepare('interval')) !== undefined) await stage.committed();
    }
    const place = `${topics.serviceEdges}/${partition}`;
    const committed = new EdgeSums();
    for await (const records of readLog(edgeLog, 0, output.end)) {
      for (const { value, offset } of records) {
        const delta = decodeOrReport(serviceEdgeDeltaCodec, value, `${place}@${offset}`, findings);
        if (delta !== undefined) committed.add(delta);
      }
    }
    committed.compare(expected, place, findings);
  }
  return findings;
}

async function auditArchive({ topics, prefix }: AuditOptions, bucket: Bucket, open: Open): Promise<StageFindings> {
  const tiling = new ArchiveTiling();
  const listed = new Set<string>();
  const links = [];
  for await (const link of readChain(bucket, prefix)) links.push(link);
  // Listed after the chain: an object is written after its entry. What is newer than the chain read is not known.
  const before = new Set(links.flatMap(({ entry }) => entry.objects.map(({ key }) => key)));
  for (const folder of DATASETS.flatMap((dataset) => datasetFolders(prefix, dataset))) {
    for await (const { key } of bucket.list(folder)) if (!isPutUnderWay(key)) listed.add(key);
  }
  await awaitUnderWay(links, bucket, listed);
  const traces = await open(topics.traces);
  for (const [partition, log] of traces.entries()) {
    const { start, end } = await log.bounds();
    const own = links.filter(({ entry }) => entry.partition === partition);
    const newest = Math.max(0, ...own.map(({ generation }) => generation));
    let archived = start;
    for (const link of own) {
      const { entry, generation, clusterId } = link;
      let rebuilt: Map<string, { rows: number; digest: string }> | undefined;
      if (generation === newest) {
        archived = Math.max(archived, entry.end);
        if (entry.gapBefore !== null) tiling.findings.gap += entry.gapBefore.to - entry.gapBefore.from;
      }
      if (generation === newest && entry.first >= start && entry.end <= end) {
        const range = new OpenRange(entry.first, entry.gapBefore);
        for await (const records of readLog(log, entry.first, entry.end)) range.add(records, entry.end, 0);
        const place = {
          prefix,
          clusterId,
          generation,
          topic: entry.topic,
          partition,
          writer: entry.writer,
          format: entry.format ?? 'parquet',
        };
        const built =
          range.records.length === 0
            ? []
            : buildRange(range, place, { digest, encodeParquet: writesNothing, encodeOtlp: writesNothing }).entry
                .objects;
        rebuilt = new Map(built.map(({ key, rows, digest: sum }) => [key, { rows, digest: sum }]));
      }
      tiling.check(link.key, entry, rebuilt, (key) => listed.has(key), link.gap?.missing ?? []);
    }
    tiling.findings.open += Math.max(0, end - archived);
  }
  // Entries that came while this ran name their own objects.
  for await (const { entry } of readChain(bucket, prefix)) {
    for (const { key } of entry.objects) if (!before.has(key)) listed.delete(key);
  }
  tiling.checkListed(listed);
  return tiling.findings;
}

/**
 * An archiver names its objects first and writes them after that, one entry of a partition after another: of the newest
 * entry they may still be under way, also while an archiver that was killed in between is started again.
 */
async function awaitUnderWay(links: readonly ChainLink[], bucket: Bucket, listed: Set<string>): Promise<void> {
  const newest = new Map(links.map((link) => [`${link.clusterId}/${link.generation}/${link.entry.partition}`, link]));
  let missing = [...newest.values()].flatMap(({ entry, gap }) =>
    entry.objects.map(({ key }) => key).filter((key) => !listed.has(key) && !gap?.missing.includes(key)),
  );
  for (const deadline = performance.now() + UNDER_WAY_MS_MAX; missing.length > 0; ) {
    for (const key of missing) if ((await bucket.head(key)) !== undefined) listed.add(key);
    missing = missing.filter((key) => !listed.has(key));
    if (missing.length === 0 || performance.now() > deadline) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Longer than the group's session and a restart. */
const UNDER_WAY_MS_MAX = 20_000;

function writesNothing(): never {
  throw new Error('the audit writes nothing');
}

function digest(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
