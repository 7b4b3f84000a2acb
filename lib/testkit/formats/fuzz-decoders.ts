import { DECODERS, type SpanEncoding } from '../../codec/ingest/decoders.ts';
import { sniffEncoding } from '../../codec/ingest/sniff.ts';
import { scanOtlpRequest } from '../../trace/otlp-scan.ts';
import { SpanTable } from '../../trace/span-table.ts';
import { SeededRandom } from '../traffic/random.ts';
import { mutate } from './mutate.ts';
import { ENCODED_CALL } from './one-call.ts';

export interface FuzzReport {
  readonly records: number;
  readonly decoded: number;
  readonly refused: number;
  /** Of all records decoded: bytes of OTLP per byte of the record, at most. */
  readonly growthMax: number;
}

/** OTLP may take more room than what it was made from, by this factor and the room of a few fixed fields. */
export const GROWTH_MAX = 4;
const FIXED_BYTES = 512;
/** So that runs of neighbouring seeds do not overlap. */
const RECORDS_PER_SEED = 1_000_000_000;

/**
 * Decodes damaged records of every encoding, by its own decoder and by what sniffing says.
 * @param records of each form that an encoding has.
 * @throws Error naming seed and record of the first that makes a decoder throw, write what is no OTLP, or grow too much.
 */
export function fuzzDecoders(seed: number, records: number): FuzzReport {
  const table = new SpanTable();
  let decoded = 0;
  let refused = 0;
  let growthMax = 0;
  const total = records * ENCODED_CALL.length;
  for (let i = 0; i < total; i++) {
    const random = new SeededRandom(seed * RECORDS_PER_SEED + i);
    const [encoding, samples] = ENCODED_CALL[i % ENCODED_CALL.length] as (typeof ENCODED_CALL)[number];
    const record = mutate(random, random.pick(samples));
    for (const tried of new Set<SpanEncoding>([encoding, sniffEncoding(record)])) {
      const otlp = decode(tried, record, `seed ${seed}, record ${i}, ${tried}`);
      const problem = otlp === undefined ? undefined : scanOtlpRequest(otlp, table);
      // What is OTLP already is not decoded: its scan is what refuses it.
      if (otlp === undefined || (tried === 'otlp_proto' && problem !== undefined)) refused++;
      else {
        decoded++;
        const growth = otlp.length / (record.length + FIXED_BYTES / GROWTH_MAX);
        growthMax = Math.max(growthMax, growth);
        if (problem !== undefined || growth > GROWTH_MAX) {
          throw new Error(
            `seed ${seed}, record ${i}, ${tried}: ${problem?.reason ?? `grew ${growth} times`}: ${record.toString('base64')}`,
          );
        }
      }
    }
  }
  return { records: total, decoded, refused, growthMax };
}

function decode(encoding: SpanEncoding, record: Buffer, where: string): Buffer | undefined {
  if (encoding === 'otlp_proto') return record;
  try {
    const converted = DECODERS[encoding](record);
    return converted.ok ? converted.bytes : undefined;
  } catch (cause) {
    throw new Error(`${where} threw on ${record.toString('base64')}`, { cause });
  }
}
