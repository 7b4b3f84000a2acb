import { deadLetterCodec } from '../../lib/codec/records.ts';
import { partitionOfTraceId } from '../../lib/kafka/murmur2.ts';
import { otlp } from '../../lib/testkit/otlp-builder.ts';
import type { SeededRandom } from '../../lib/testkit/traffic/random.ts';
import { scanOtlpRequest } from '../../lib/trace/otlp-scan.ts';
import { resourceServiceName } from '../../lib/trace/service-name.ts';
import { SpanTable } from '../../lib/trace/span-table.ts';
import { RouterStage } from '../../services/span-router/core/router-stage.ts';
import { fixturePorts, fixtureSettings } from '../../services/span-router/router-fixture.ts';
import { type Outcome, Tally, WorkerWorld, type WorldOptions } from './worker-world.ts';

/**
 * Routers on three ingest partitions, two of which share a ledger partition. Good when each span of each ingest record
 * is in the committed bundles as often as it was sent, with its bytes, on the partition of its trace; each bad record or
 * span is one dead letter; and what retention took is named by one dead letter and nowhere else. Of a log that was deleted
 * and made anew, everything that was read counts, and everything in the new one.
 */
export async function simulateRouter(seed: number, options: WorldOptions): Promise<Outcome> {
  const world = new WorkerWorld(seed, options, {
    service: 'span-router',
    inputTopic: 'ingest',
    partitions: INGEST_PARTITIONS,
    ledgerPartitions: 2,
    createStage: (_process, { topic, partition }, log) => {
      const { ports } = fixturePorts({ partitions: SPANS_PARTITIONS });
      const settings = fixtureSettings({ topic, partition, partitions: SPANS_PARTITIONS, spansTopic: 'spans' });
      return new RouterStage(
        { ...settings, deadLettersTopic: 'dead-letters' },
        { ...ports, earliestOffset: async () => (await log(topic, partition).bounds()).start },
      );
    },
  });
  const ingest = new IngestTraffic(world);
  const finished = await world.run(
    () => ingest.step(),
    () => world.everythingApplied(),
  );
  const problems = finished ? check(world) : ['stuck: not everything was applied'];
  return {
    problems,
    decisions: world.scheduler.decisions,
    counts: {
      ...world.counts,
      ...world.fleet.counts,
      ...world.logFaults.counts,
      records: ingest.records,
      truncations: ingest.truncations,
    },
  };
}

/** Batches as exporters send them: copies after a time-out, garbage, spans without a trace id, retention. */
class IngestTraffic {
  records = 0;
  truncations = 0;
  private readonly world: WorkerWorld;
  private readonly random: SeededRandom;
  private readonly sent: Buffer[] = [];
  private span = 1;

  constructor(world: WorkerWorld) {
    this.world = world;
    this.random = world.random;
  }

  step(): void {
    const { random, world } = this;
    if (random.float() < 0.12) {
      for (let count = 1 + random.below(4); count > 0; count--) this.send(random.below(INGEST_PARTITIONS));
    }
    if (!world.isFaulty) return;
    const partition = random.below(INGEST_PARTITIONS);
    const isUntouched = world.input(partition).start === 0 && world.logFaults.logsBefore(partition).length === 0;
    // Dead letters name offsets, so a partition is either overtaken by retention or made anew, not both.
    if (random.float() < 0.004 && isUntouched) {
      const whoLooks = random.pick(['workers', 'nobody', 'sleepers'] as const);
      world.logFaults.recreate(partition, whoLooks, (records) => {
        for (let left = records; left > 0; left--) this.send(partition);
      });
    }
    if (random.float() >= 0.004 || world.logFaults.logsBefore(partition).length > 0) return;
    // What was never worked on has no position that retention could overtake.
    if (world.entryOf(partition) === undefined) return;
    this.truncations++;
    const input = world.input(partition);
    input.truncate(input.end - random.below(4));
  }

  private send(partition: number): void {
    const { random, world } = this;
    const x = random.float();
    const copy = this.sent[random.below(this.sent.length || 1)];
    const isCopy = x < 0.1 && copy !== undefined;
    const value = isCopy ? copy : x < 0.15 ? Buffer.from([0xff, 0xff, this.records & 0x7f]) : this.request(x < 0.25);
    if (!isCopy) this.sent.push(value);
    // Producers' clocks: where nothing is told by times, they may say what they like.
    const timestampMs = world.nowMs - (world.isNamed(partition) ? random.below(SENT_BEFORE_MS_MAX) : 0);
    world.input(partition).append({ key: null, value, timestampMs, headers: new Map() });
    this.records++;
  }

  private request(hasBadSpan: boolean): Buffer {
    const { random } = this;
    const spans = Array.from({ length: 1 + random.below(5) }, () => {
      const id = this.span++;
      return { id, trace: 1 + random.below(30), name: `span ${id}`, start: id };
    });
    if (hasBadSpan) spans.push({ id: this.span++, trace: 0, name: 'without a trace', start: 0 });
    return otlp([
      { service: `service-${random.below(5)}`, spans: spans.slice(0, 2) },
      { service: `service-${random.below(5)}`, spans: spans.slice(2) },
    ]);
  }
}

function check(world: WorkerWorld): string[] {
  const expected = new Tally();
  const found = new Tally();
  const lost = new Set<string>();
  const problems: string[] = [];
  for (const record of world.kafka.partition('dead-letters', 0).committed()) {
    const letter = deadLetterCodec.decode(record.value as Buffer);
    if (letter.reason !== 'offsets_lost') {
      found.add(`letter of ${letter.partition}/${letter.offset}`);
      continue;
    }
    const [, to = ''] = /to (\d+) \(/.exec(letter.detail) ?? [];
    for (let offset = letter.offset; offset <= Number(to); offset++) {
      const place = `${letter.partition}/${offset}`;
      if (lost.has(place)) problems.push(`${place} is lost twice`);
      lost.add(place);
      if (offset >= world.input(letter.partition).start) problems.push(`${place} is called lost, but is there`);
    }
  }
  for (let partition = 0; partition < INGEST_PARTITIONS; partition++) {
    const past = world.logFaults
      .logsBefore(partition)
      .flatMap(({ records, entry }) => records.filter(({ offset }) => offset < (entry?.applied ?? 0)));
    for (const { offset, value } of [...past, ...world.input(partition).committed()]) {
      if (lost.has(`${partition}/${offset}`)) continue;
      const spans = spansOf(value as Buffer);
      if (spans === undefined) expected.add(`letter of ${partition}/${offset}`);
      for (const { isBad, name } of spans ?? []) expected.add(isBad ? `letter of ${partition}/${offset}` : name);
    }
  }
  for (let partition = 0; partition < SPANS_PARTITIONS; partition++) {
    for (const { value } of world.kafka.partition('spans', partition).committed()) {
      for (const span of spansOf(value as Buffer) ?? []) {
        found.add(span.name);
        if (span.partition !== partition) problems.push(`${span.name} is on partition ${partition}`);
      }
    }
  }
  return [...problems, ...expected.differences(found)];
}

/** Spans by service and bytes; undefined for what is no request. */
function spansOf(bytes: Buffer): { name: string; isBad: boolean; partition: number }[] | undefined {
  const table = new SpanTable();
  if (scanOtlpRequest(bytes, table) !== undefined) return undefined;
  return Array.from({ length: table.count }, (_, row) => {
    const context = table.context[row] as number;
    const start = table.resourceStart[context] as number;
    const service = resourceServiceName(bytes, start, table.resourceEnd[context] as number);
    return {
      name: `${service} ${bytes.hexSlice(table.bodyStart[row], table.bodyEnd[row])}`,
      isBad: table.problem[row] !== 0,
      partition: partitionOfTraceId(bytes, table.traceId[row] as number, SPANS_PARTITIONS),
    };
  });
}

const INGEST_PARTITIONS = 3;
const SPANS_PARTITIONS = 4;
const SENT_BEFORE_MS_MAX = 60_000;
