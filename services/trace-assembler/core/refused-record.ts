import { createHash } from 'node:crypto';
import { deadLetterCodec } from '../../../lib/codec/records.ts';
import type { LogRecord, OutRecord } from '../../../lib/kafka/types.ts';
import type { AssemblerSettings } from './assembler-settings.ts';

/**
 * The dead letter of a record, or of one span in it, that cannot be assembled. Routers send only what can be: this is
 * somebody else's record on our topic.
 * @param index of the span in the record; `null` for the record as a whole.
 */
export function refusedRecord(
  { spansTopic: topic, partition }: AssemblerSettings,
  record: LogRecord,
  index: number | null,
  reason: string,
  bytes: Buffer,
): OutRecord {
  const place = `${topic}/${partition}/${record.offset}${index === null ? '' : `/${index}`}`;
  const value = deadLetterCodec.encode({
    topic,
    partition,
    offset: record.offset,
    index,
    reason,
    code: 'SPANS_FOREIGN_RECORD',
    detail: `${place} was not written by a span-router: ${reason}`,
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    encoding: 'otlp_proto',
    service: 'trace-assembler',
    time: record.timestampMs,
    payload: null,
  });
  return { key: place, value };
}
