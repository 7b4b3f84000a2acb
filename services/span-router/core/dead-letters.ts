import type { DeadLetter } from '../../../lib/codec/records.ts';
import type { OutRecord } from '../../../lib/kafka/types.ts';
import type { RouterPorts } from '../ports.ts';

/** Where refused bytes came from. */
export interface Origin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Broker append time, epoch milliseconds. */
  readonly timestampMs: number;
  readonly encoding: string;
}

/** Gathers the dead letters of one transaction: one per refused record or span, and their counts by reason. */
export class DeadLetters {
  readonly rejected = new Map<string, number>();
  private readonly ports: Pick<RouterPorts, 'sha256' | 'encodeDeadLetter'>;
  private readonly withPayload: boolean;
  private records: OutRecord[] = [];
  private recordOffset = -1;
  private ofRecord = 0;
  /** Spans of the current record beyond the limit, by reason. */
  private readonly unlisted = new Map<string, number>();
  private unlistedFrom = -1;

  constructor(ports: Pick<RouterPorts, 'sha256' | 'encodeDeadLetter'>, withPayload: boolean) {
    this.ports = ports;
    this.withPayload = withPayload;
  }

  get count(): number {
    return this.records.length;
  }

  refuseRecord(origin: Origin, reason: string, detail: string, value: Buffer | null): void {
    this.tally(reason);
    this.write(origin, null, reason, 'ROUTER_RECORD_REFUSED', detail, value ?? EMPTY);
  }

  /** @param index position of the span in its record. */
  refuseSpan(origin: Origin, index: number, reason: string, detail: string, body: Buffer): void {
    this.tally(reason);
    if (origin.offset !== this.recordOffset) {
      this.recordOffset = origin.offset;
      this.ofRecord = 0;
    }
    if (this.ofRecord < SPANS_LISTED_MAX) {
      this.ofRecord++;
      this.write(origin, index, reason, 'ROUTER_SPAN_REFUSED', detail, body);
      return;
    }
    if (this.unlistedFrom < 0) this.unlistedFrom = index;
    this.unlisted.set(reason, (this.unlisted.get(reason) ?? 0) + 1);
  }

  /** To be called after a record's spans: sums up those beyond the limit in one dead letter. */
  endRecord(origin: Origin): void {
    if (this.unlistedFrom < 0) return;
    const counts = [...this.unlisted].map(([reason, count]) => `${count} ${reason}`).join(', ');
    const detail = `From span ${this.unlistedFrom} on, further spans of this record were refused: ${counts}.`;
    this.write(origin, this.unlistedFrom, 'further_spans_refused', 'ROUTER_SPAN_REFUSED', detail, EMPTY);
    this.unlisted.clear();
    this.unlistedFrom = -1;
  }

  /** Offsets [origin.offset, to) were gone before they were read. */
  loseOffsets(origin: Origin, to: number): void {
    const lost = to - origin.offset;
    this.tally('offsets_lost', lost);
    const detail = `Offsets ${origin.offset} to ${to - 1} (${lost} records or markers) were deleted by retention or truncation before they were read.`;
    this.write(origin, null, 'offsets_lost', 'ROUTER_OFFSETS_LOST', detail, EMPTY);
  }

  /** Offsets [origin.offset, to) hold a batch that cannot be read; how many records it had is not known. */
  refuseBatch(origin: Origin, to: number, why: string): void {
    this.tally('undecodable_batch');
    const detail = `Offsets ${origin.offset} to ${to - 1} cannot be read: ${why}.`;
    this.write(origin, null, 'undecodable_batch', 'ROUTER_BATCH_REFUSED', detail, EMPTY);
  }

  take(): OutRecord[] {
    const { records } = this;
    this.clear();
    return records;
  }

  clear(): void {
    this.records = [];
    this.rejected.clear();
    this.recordOffset = -1;
    this.unlisted.clear();
    this.unlistedFrom = -1;
  }

  private tally(reason: string, count = 1): void {
    this.rejected.set(reason, (this.rejected.get(reason) ?? 0) + count);
  }

  private write(
    origin: Origin,
    index: number | null,
    reason: string,
    code: string,
    detail: string,
    refused: Buffer,
  ): void {
    const letter: DeadLetter = {
      topic: origin.topic,
      partition: origin.partition,
      offset: origin.offset,
      index,
      reason,
      code,
      detail,
      size: refused.length,
      sha256: this.ports.sha256(refused),
      encoding: origin.encoding,
      service: 'span-router',
      time: origin.timestampMs,
      payload: this.withPayload && refused.length <= PAYLOAD_BYTES_MAX ? refused : null,
    };
    const record = `${origin.topic}/${origin.partition}/${origin.offset}`;
    this.records.push({
      key: index === null ? record : `${record}/${index}`,
      value: this.ports.encodeDeadLetter(letter),
    });
  }
}

const EMPTY = Buffer.alloc(0);
/** A small record can hold millions of empty spans: those beyond are counted, not listed. */
export const SPANS_LISTED_MAX = 1000;
/** Larger ones are left out even with DEAD_LETTER_PAYLOAD=full; the source record is still there to read. */
const PAYLOAD_BYTES_MAX = 1024 * 1024;
