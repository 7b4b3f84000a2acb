import { DECODERS, type SpanEncoding } from '../../../lib/codec/ingest/decoders.ts';
import { scanOtlpRequest } from '../../../lib/trace/otlp-scan.ts';
import { SpanTable } from '../../../lib/trace/span-table.ts';
import { splitRequest } from './split-request.ts';

export type TakenBody =
  | {
      readonly ok: true;
      /** OTLP requests with the spans of the body, each a record for the ingest topic. */
      readonly records: readonly Buffer[];
      /** Spans in the records. */
      readonly spans: number;
      /** Spans that the pipeline will not have, and why. Those with a wrong id are in the records, for the dead letters. */
      readonly rejected: number;
      readonly reason: string;
    }
  | { readonly ok: false; readonly status: 400 | 413; readonly detail: string };

const ROWS_MAX = 2 ** 18;
const table = new SpanTable(ROWS_MAX);

/**
 * Checks a body and makes it records. OTLP in protobuf is scanned and passed on as it is, never decoded.
 * @param recordBytesMax larger requests are split by spans.
 */
export function takeBody(body: Buffer, encoding: SpanEncoding, recordBytesMax: number): TakenBody {
  const converted = encoding === 'otlp_proto' ? ({ ok: true, bytes: body } as const) : DECODERS[encoding](body);
  if (!converted.ok) return { ok: false, status: 400, detail: converted.detail };
  const request = converted.bytes;
  const problem = scanOtlpRequest(request, table);
  if (problem !== undefined) {
    const detail = `The body is no OTLP request (${problem.reason}, byte ${problem.at}).`;
    return { ok: false, status: 400, detail };
  }
  if (table.isOverfull) {
    return {
      ok: false,
      status: 413,
      detail: `The body holds more than ${ROWS_MAX} spans or scopes; send it in parts.`,
    };
  }
  if (table.count === 0) return { ok: true, records: [], spans: 0, rejected: 0, reason: '' };
  const { records, tooLarge } = splitRequest(request, table, recordBytesMax);
  const wrongIds = countWrongIds();
  const reasons = [
    wrongIds === 0 ? '' : `${wrongIds} spans have an id that is none; they are kept as dead letters.`,
    tooLarge === 0 ? '' : `${tooLarge} spans are larger with their resource than ${recordBytesMax} bytes.`,
  ];
  const reason = reasons.filter((sentence) => sentence !== '').join(' ');
  return { ok: true, records, spans: table.count - tooLarge, rejected: wrongIds + tooLarge, reason };
}

function countWrongIds(): number {
  let count = 0;
  for (let row = 0; row < table.count; row++) if (table.problem[row] !== 0) count++;
  return count;
}
