import type { SpanEncoding } from '../../../lib/codec/ingest/decoders.ts';
import { later, type Outcome } from '../core/answers.ts';
import { takeBody } from '../core/take-body.ts';
import type { Intake } from '../ports.ts';

/** A body's way into Kafka, whatever its door: checked, made records, acknowledged. */
export async function takeIn(body: Buffer, encoding: SpanEncoding, intake: Intake): Promise<Outcome> {
  const taken = takeBody(body, encoding, intake.recordBytesMax);
  if (!taken.ok) return { kind: 'refused', status: taken.status, detail: taken.detail };
  const { records, spans, rejected, reason } = taken;
  if (records.length > 0 && !(await intake.give(records))) {
    return later(503, 'Kafka has not acknowledged the spans; try again.');
  }
  return { kind: 'taken', spans, rejected, reason };
}
