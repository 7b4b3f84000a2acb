import { tailTopic } from '../../../cli/kafka/tail-topic.ts';
import { assembledTraceCodec, deadLetterCodec } from '../../../lib/codec/records.ts';
import { createKafka } from '../../../lib/kafka/client.ts';
import { createLogs, type PartitionLogs } from '../../../lib/kafka/partition-log.ts';
import { type HostileSizes, hostileRecords } from '../../../lib/testkit/faults/hostile-records.ts';
import { otlp } from '../../../lib/testkit/otlp-builder.ts';
import { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import { readTopic } from '../../support/topic.ts';
import type { Fault, FaultGroup } from '../fault.ts';
import type { FaultPipeline } from '../rig/fault-pipeline.ts';
import { PARTITIONS } from '../rig/positions.ts';
import { waitUntil } from '../rig/wait-until.ts';

/** Bad input in the middle of ordinary traffic, while the services that meet it are killed too. */
const hostile = (sizes: HostileSizes, seed: number): Pick<Fault, 'inject' | 'spans'> => ({
  spans: 'at least',
  inject: async (pipeline) => {
    const memory = new MemoryWatch(pipeline);
    try {
      await sendAll(pipeline, sizes, seed);
    } finally {
      memory.end();
    }
    memory.judge();
  },
});

async function sendAll(pipeline: FaultPipeline, sizes: HostileSizes, seed: number): Promise<void> {
  const records = hostileRecords(new SeededRandom(seed), sizes);
  let letters = (await letterKeys(pipeline, new Set())).length;
  const unforeseen = new Set<string>();
  const killing = pipeline.process('span-router').crashAt(['before-commit:3']);
  for (const record of records) {
    const { expected } = record;
    const origin = await pipeline.source.sendRaw(record.value, expected?.spans ?? 0);
    if (expected === undefined) unforeseen.add(origin);
    else letters += expected.letters;
  }
  await pipeline.source.sendBomb(BOMB_BYTES);
  letters++;
  await killing;
  await pipeline.process('trace-assembler').restart('SIGKILL');
  const found = await waitUntil('all dead letters', async () => {
    const keys = await letterKeys(pipeline, unforeseen);
    return keys.length >= letters && keys;
  });
  if (found.length !== letters || new Set(found).size !== letters)
    throw new Error(`${letters} dead letters were due, there are ${found.length}: ${found}`);
}

/** Far more spans than a trace may have, one after another, while those that take them are killed. */
export const HUGE: Fault = {
  name: 'a trace of 1 000 000 spans between ordinary ones, and span-router and trace-assembler killed in the middle of it',
  spans: 'at least',
  inject: async (pipeline) => {
    const memory = new MemoryWatch(pipeline);
    const parts = TraceParts.of(HUGE_TRACE, pipeline);
    try {
      const chunk = 1_000;
      for (let at = 0; at < HUGE_TRACE_SPANS; at += chunk) {
        await pipeline.source.sendRaw(spansOf(HUGE_TRACE, at, chunk), chunk);
        if (at === HUGE_TRACE_SPANS * 0.4) await pipeline.process('span-router').restart('SIGKILL');
        if (at === HUGE_TRACE_SPANS * 0.6) await pipeline.process('trace-assembler').restart('SIGKILL');
      }
      await waitUntil('all its spans are out', () => parts.spans >= HUGE_TRACE_SPANS, HUGE_TRACE_MS_MAX);
    } finally {
      memory.end();
      await parts.end();
    }
    memory.judge();
    if (parts.spans !== HUGE_TRACE_SPANS || parts.largest > TRACE_SPANS_MAX)
      throw new Error(`${parts.spans} spans came out, up to ${parts.largest} in a part of several bundles`);
    process.stderr.write(`a trace of ${HUGE_TRACE_SPANS} spans is ${parts.count} parts\n`);
  },
};

/** Follows the parts of one trace on the traces topic. */
class TraceParts {
  count = 0;
  spans = 0;
  /** Spans of the largest part that more than one bundle went into. */
  largest = 0;
  private readonly abort = new AbortController();
  private tail: Promise<void> = Promise.resolve();
  private logs: PartitionLogs | undefined;

  static of(traceId: string, { topics, stack }: FaultPipeline): TraceParts {
    const parts = new TraceParts();
    const logs = createLogs(createKafka({ brokers: stack.addresses.kafka, clientId: 'fault-tests' }));
    parts.logs = logs;
    parts.tail = tailTopic({
      logs: Array.from({ length: PARTITIONS }, (_, partition) => logs.open(topics.traces, partition)),
      from: 'start',
      untilEnd: false,
      signal: parts.abort.signal,
      onRecord: ({ key, value }) => {
        if (key?.toString() !== traceId || value === null) return;
        const { spanCount, inputs } = assembledTraceCodec.decode(value);
        parts.count++;
        parts.spans += spanCount;
        // What one bundle brings of a trace is never divided.
        if (inputs.length > 1) parts.largest = Math.max(parts.largest, spanCount);
      },
    });
    return parts;
  }

  async end(): Promise<void> {
    this.abort.abort();
    await this.tail;
    await this.logs?.close();
  }
}

function spansOf(trace: string, from: number, count: number): Buffer {
  const spans = Array.from({ length: count }, (_, i) => ({ id: from + i + 1, parent: 1, trace, name: 'one of many' }));
  return otlp([{ service: 'hostile', spans }]);
}

const HUGE_TRACE = 'bad1bad1bad1bad10000000000000001';
const HUGE_TRACE_SPANS = 1_000_000;
const HUGE_TRACE_MS_MAX = 300_000;
/** The default of the assembler's setting. */
const TRACE_SPANS_MAX = 10_000;

const SMALL = { hugeTraceSpans: 12_000, chainSpans: 10_000, attributeBytes: 5_000_000, flips: 20 };

export const HOSTILE: FaultGroup = {
  pipeline: { name: 'hostile', seed: 9 },
  faults: [
    {
      name: 'hostile records between ordinary ones, and the services killed over them',
      fast: true,
      ...hostile(SMALL, 1),
    },
    HUGE,
  ],
};

/** Keys of the router's dead letters for records whose fate was foreseen. */
async function letterKeys(pipeline: FaultPipeline, unforeseen: ReadonlySet<string>): Promise<string[]> {
  const records = await readTopic(pipeline.topics.deadLetters, 1, pipeline.stack.addresses.kafka);
  return records.flatMap(({ key, value }) => {
    if (key === null || value === null) return [];
    const letter = deadLetterCodec.decode(value);
    const isForeseen = !unforeseen.has(`${letter.topic}/${letter.partition}/${letter.offset}`);
    return letter.service === 'span-router' && isForeseen ? [key.toString()] : [];
  });
}

/** Asks each process for its memory until `end`; `judge` throws when one had more than it may. */
class MemoryWatch {
  private readonly highest = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;

  constructor(pipeline: FaultPipeline) {
    this.timer = setInterval(async () => {
      for (const process of pipeline.processes) {
        const bytes = await process.metric('process_resident_memory_bytes');
        this.highest.set(process.name, Math.max(bytes, this.highest.get(process.name) ?? 0));
      }
    }, 500);
  }

  end(): void {
    clearInterval(this.timer);
  }

  judge(): void {
    const all = [...this.highest].map(([name, bytes]) => `${name} ${(bytes / 1e6).toFixed(0)} MB`).join(', ');
    process.stderr.write(`most memory: ${all}\n`);
    if (Math.max(...this.highest.values()) > RSS_MAX) throw new Error(`memory is not bounded: ${all}`);
  }
}

/** More than KAFKA_DECOMPRESSED_BYTES_MAX. */
const BOMB_BYTES = 80 * 1024 * 1024;
const RSS_MAX = 700e6;
