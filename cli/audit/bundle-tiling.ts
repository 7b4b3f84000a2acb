import type { DeadLetter } from '../../lib/codec/records.ts';
import type { LogRecord } from '../../lib/kafka/types.ts';
import { scanOtlpRequest } from '../../lib/trace/otlp-scan.ts';
import { SpanTable } from '../../lib/trace/span-table.ts';
import { newFindings, report, type StageFindings } from './findings.ts';
import { keyOf } from './hash.ts';
import { KeyBag } from './key-bag.ts';
import type { Slice } from './slices.ts';
import { sourceRangeOf } from './source-range.ts';

/** What the router makes of one ingest record: bundles by partition, and the keys of its dead letters. */
export interface Rerouted {
  readonly bundles: readonly { readonly partition: number; readonly bytes: Buffer }[];
  readonly letterKeys: readonly string[];
}

/** The offsets of an ingest partition that are judged. */
export interface IngestPosition {
  readonly source: string;
  readonly start: number;
  /** One past the last: what the router has committed, or less. */
  readonly applied: number;
  /** Retention has taken offsets below `start` that should have been judged. */
  readonly isCut: boolean;
}

/**
 * Ingest records against bundles and dead letters. First all committed output is `see`n, then every retained ingest
 * record is routed anew by the same code and `expect`ed: spans are compared by a hash of their bytes with their
 * resource, so redaction and cutting are part of the comparison.
 */
export class BundleTiling {
  readonly findings: StageFindings = newFindings('bundles', 'spans');
  private readonly positions: ReadonlyMap<string, IngestPosition>;
  private readonly slice: Slice;
  private readonly spans: KeyBag;
  /** Bundles made in part of records that are not judged. */
  private readonly partly: KeyBag;
  private readonly letters = new Map<string, number>();
  /** `source>partition` → first source offset of the oldest retained bundle, where retention has cut. */
  private readonly floors = new Map<string, number>();
  private readonly cut: ReadonlySet<number>;
  private readonly topic: string;
  private readonly seen: (partition: number) => number | undefined;

  /**
   * @param cut partitions of the spans topic of which retention has taken what should have been read.
   * @param seen first offset of such a partition that no audit before has read; undefined when there was none.
   */
  constructor(
    topic: string,
    positions: readonly IngestPosition[],
    cut: ReadonlySet<number>,
    slice: Slice,
    seen: (partition: number) => number | undefined = () => undefined,
  ) {
    this.topic = topic;
    this.seen = seen;
    this.slice = slice;
    this.spans = new KeyBag(slice);
    this.partly = new KeyBag(slice);
    this.positions = new Map(positions.map((position) => [position.source, position]));
    this.cut = cut;
  }

  seeBundle(record: LogRecord, partition: number): void {
    const at = `${this.topic}/${partition}@${record.offset}`;
    const source = sourceRangeOf(record);
    const position = source === undefined ? undefined : this.positions.get(source.place);
    if (source === undefined || position === undefined || record.value === null) {
      if (!this.slice.isFirst || record.offset < (this.seen(partition) ?? 0)) return;
      return report(this.findings, 'foreign', at, 'no router wrote this record: it names no ingest range');
    }
    const { first, last } = source;
    if (first >= position.applied) return;
    const floor = `${position.source}>${partition}`;
    if (!this.floors.has(floor)) this.floors.set(floor, first);
    const isWhole = first >= position.start && last < position.applied;
    const problem = forEachSpan(record.value, (span) => {
      const key = keyOf(floor, span);
      if (!this.slice.has(key)) return;
      if (last >= position.start) (isWhole ? this.spans : this.partly).add(key, place(partition, record.offset));
      else if (position.isCut) this.findings.gap++;
      else if (record.offset >= (this.seen(partition) ?? Number.POSITIVE_INFINITY)) {
        report(this.findings, 'double', at, 'a span of this bundle was routed before');
      }
    });
    if (problem !== undefined && this.slice.isFirst)
      report(this.findings, 'foreign', at, `the bundle is no OTLP request: ${problem}`);
  }

  seeLetter(letter: DeadLetter, key: string): void {
    const position = this.positions.get(`${letter.topic}/${letter.partition}`);
    if (letter.service !== 'span-router' || position === undefined) return;
    if (letter.offset >= position.applied || letter.offset < position.start) return;
    if (letter.reason === 'offsets_lost' || !this.slice.has(keyOf(key))) return;
    const known = this.letters.get(key);
    if (known === undefined) this.slice.count();
    this.letters.set(key, (known ?? 0) + 1);
  }

  /** @param made what the router's code makes of this record alone. */
  expect(source: string, offset: number, made: Rerouted): void {
    const at = `${source}@${offset}`;
    for (const key of made.letterKeys) this.expectLetter(key, at);
    for (const { partition, bytes } of made.bundles) {
      const floor = `${source}>${partition}`;
      const oldest = this.cut.has(partition) ? (this.floors.get(floor) ?? Number.POSITIVE_INFINITY) : -1;
      forEachSpan(bytes, (span) => {
        const key = keyOf(floor, span);
        if (!this.slice.has(key)) return;
        if (this.spans.take(key) !== undefined || this.partly.take(key) !== undefined) this.findings.matched++;
        else if (offset <= oldest) this.findings.gap++;
        else report(this.findings, 'missing', at, `a span of this record is in no bundle of partition ${partition}`);
      });
    }
  }

  /** The batch at [from, …) could not be read: the router must have said so. */
  expectLetter(key: string, at: string): void {
    if (!this.slice.has(keyOf(key))) return;
    const count = this.letters.get(key);
    if (count === undefined) report(this.findings, 'missing', at, `there is no dead letter ${key}`);
    else if (count > 1) report(this.findings, 'double', at, `dead letter ${key} was written ${count} times`, count - 1);
    this.letters.delete(key);
  }

  finish(): StageFindings {
    for (const { place: where, left, wasTaken } of this.spans.rest()) {
      const at = `${this.topic}/${Math.floor(where / OFFSETS)}@${where % OFFSETS}`;
      if (wasTaken)
        report(this.findings, 'double', at, 'a span of this bundle was routed more often than it came', left);
      else report(this.findings, 'foreign', at, 'a span of this bundle is in no record of the range it names', left);
    }
    for (const [key, count] of this.letters) {
      report(this.findings, 'foreign', key, 'a dead letter for what the router takes in', count);
    }
    return this.findings;
  }
}

/** Spans in bundles that were made anew. */
export function spansIn({ bundles }: Rerouted): number {
  let spans = 0;
  for (const { bytes } of bundles) if (scanOtlpRequest(bytes, table) === undefined) spans += table.count;
  return spans;
}

const table = new SpanTable();

/** Calls with a key over each span's bytes and its resource's. */
function forEachSpan(bytes: Buffer, visit: (span: string) => void): string | undefined {
  const problem = scanOtlpRequest(bytes, table);
  if (problem !== undefined) return problem.reason;
  for (let row = 0; row < table.count; row++) {
    const context = table.context[row] as number;
    const start = table.resourceStart[context] as number;
    const resource = start < 0 ? EMPTY : bytes.subarray(start, table.resourceEnd[context]);
    visit(String(keyOf(resource, bytes.subarray(table.bodyStart[row], table.bodyEnd[row]))));
  }
  return undefined;
}

function place(partition: number, offset: number): number {
  return partition * OFFSETS + offset;
}

const EMPTY = Buffer.alloc(0);
/** Offsets below 2^40 and 4096 partitions fit one number. */
const OFFSETS = 2 ** 40;
