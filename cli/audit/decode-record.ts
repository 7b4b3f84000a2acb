import { type AvroCodec, isOfUnknownSchema } from '../../lib/codec/avro.ts';
import { report, type StageFindings } from './findings.ts';

/**
 * The record, or undefined after reporting it as foreign at `at`: one record that nobody of ours wrote must not keep
 * everything else from being audited.
 * @param findings undefined when another pass reports it.
 */
export function decodeOrReport<T>(
  codec: AvroCodec<T>,
  value: Uint8Array | null,
  at: string,
  findings: StageFindings | undefined,
): T | undefined {
  try {
    if (value !== null) return codec.decode(value);
    if (findings !== undefined) report(findings, 'foreign', at, `a record without a value is no ${codec.name}`);
  } catch {
    const isLater = value !== null && isOfUnknownSchema(value);
    const detail = isLater ? 'its schema is unknown to this version; audit with the newest' : 'it cannot be decoded';
    if (findings !== undefined) report(findings, 'foreign', at, `no ${codec.name}: ${detail}`);
  }
  return undefined;
}
