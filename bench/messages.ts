import { createReadStream } from 'node:fs';
import { scanOtlpRequest } from '../lib/trace/otlp-scan.ts';
import { SpanTable } from '../lib/trace/span-table.ts';
import { benchMessages } from './spans.ts';

/** The span set of a run: generated, or read from a file of length-prefixed (uint32 big-endian) OTLP messages. */
export async function* messagesOf(source: {
  input?: string | undefined;
  spans: number;
  seed: number;
}): AsyncGenerator<Buffer> {
  if (source.input === undefined) yield* benchMessages(source.spans, source.seed);
  else yield* lengthPrefixed(source.input);
}

/** Calls back with trace id and span id (24 bytes as latin1) of each span. Throws when the message is not whole. */
export function forEachSpanKey(otlp: Buffer, onSpan: (key: string) => void): number {
  const problem = scanOtlpRequest(otlp, table);
  if (problem !== undefined) throw new Error(`not an OTLP request: ${problem.reason} at byte ${problem.at}`);
  for (let row = 0; row < table.count; row++) {
    const traceId = table.traceId[row] as number;
    const spanId = table.spanId[row] as number;
    onSpan(otlp.latin1Slice(traceId, traceId + 16) + otlp.latin1Slice(spanId, spanId + 8));
  }
  return table.count;
}

const table = new SpanTable();

async function* lengthPrefixed(path: string): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 4 * 1024 * 1024 })) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    let at = 0;
    while (rest.length - at >= 4 && rest.length - at - 4 >= rest.readUInt32BE(at)) {
      const length = rest.readUInt32BE(at);
      yield rest.subarray(at + 4, at + 4 + length);
      at += 4 + length;
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) throw new Error(`${path} ends in the middle of a message (${rest.length} bytes left)`);
}
