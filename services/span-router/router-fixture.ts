import { createHash, createHmac } from 'node:crypto';
import { DECODERS } from '../../lib/codec/ingest/decoders.ts';
import { type DeadLetter, deadLetterCodec } from '../../lib/codec/records.ts';
import { partitionOfTraceId } from '../../lib/kafka/murmur2.ts';
import type { LogRecord, OutRecord } from '../../lib/kafka/types.ts';
import { scanOtlpRequest } from '../../lib/trace/otlp-scan.ts';
import { SpanTable } from '../../lib/trace/span-table.ts';
import { DEFAULT_REDACTION } from './config.ts';
import { type RedactionNames, RedactionRules } from './core/redaction-rules.ts';
import type { RouterStageSettings } from './core/router-stage.ts';
import type { RoutedReport, RouterPorts } from './ports.ts';

/** For tests: the router's ports without a server, and what it told them. */
export function fixturePorts(options: { partitions?: number; earliest?: number } = {}) {
  const reports: RoutedReport[] = [];
  const ports: RouterPorts = {
    decoders: DECODERS,
    partitionOfTrace: (bytes, offset) => partitionOfTraceId(bytes, offset, options.partitions ?? PARTITIONS),
    hashValue: (value) => `hmac:${createHmac('sha256', 'key').update(value).digest('hex').slice(0, 32)}`,
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    encodeDeadLetter: deadLetterCodec.encode,
    earliestOffset: async () => options.earliest ?? 0,
    routed: (report) => void reports.push(report),
  };
  return { ports, reports };
}

export const PARTITIONS = 4;

export function fixtureSettings(
  overrides: Partial<RouterStageSettings> & { redaction?: Partial<RedactionNames> } = {},
): RouterStageSettings {
  const { redaction, ...settings } = overrides;
  return {
    topic: 'otlp_spans',
    partition: 3,
    encoding: 'auto',
    partitions: PARTITIONS,
    spanBytesMax: 256 * 1024,
    rules: new RedactionRules({ ...DEFAULT_REDACTION, ...redaction }),
    deadLetterPayload: false,
    spansTopic: 'spanloom.spans',
    deadLettersTopic: 'spanloom.dead-letters',
    deadLettersPartition: 0,
    ...settings,
  };
}

export function record(offset: number, value: Buffer | string | null): LogRecord {
  return {
    offset,
    timestampMs: 1_700_000_000_000 + offset,
    key: null,
    value: typeof value === 'string' ? Buffer.from(value) : value,
    headers: new Map(),
  };
}

/** The Span messages of a request, as bytes. */
export function spanBodies(request: Buffer): Buffer[] {
  const table = new SpanTable();
  const problem = scanOtlpRequest(request, table);
  if (problem !== undefined) throw new Error(`not a request: ${problem.reason} at ${problem.at}`);
  return Array.from({ length: table.count }, (_, row) => request.subarray(table.bodyStart[row]!, table.bodyEnd[row]!));
}

export function decodeLetters(records: readonly OutRecord[]): (DeadLetter & { key: string })[] {
  return records.map(({ key, value }) => ({ ...deadLetterCodec.decode(value!), key: String(key) }));
}
