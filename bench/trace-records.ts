import type { OutRecord } from '../lib/kafka/types.ts';
import { ASSEMBLER_SETTINGS, benchAssembler } from './assembler-stage.ts';

export interface TraceRecords {
  readonly records: readonly OutRecord[];
  readonly spans: number;
}

const MESSAGES_PER_BUNDLE = 40;
/** Of the traffic's own time: with the idle time-out it tells how many traces are open. */
const SPANS_PER_SECOND = 10_000;

/**
 * Records of the traces topic as the trace-assembler writes them for the bench's spans: its own code with windows in
 * memory, a batch for each of its commits.
 */
export async function* traceRecords(
  messages: AsyncIterable<Buffer> | Iterable<Buffer>,
  spansPerMessage: number,
): AsyncGenerator<TraceRecords> {
  let spans = 0;
  const stage = benchAssembler((count) => {
    spans += count;
  });
  await stage.recover(undefined, { nonce: 'bench' });
  let position = 0;
  let nowMs = 1_760_000_000_000;
  const commit = async function* (): AsyncGenerator<TraceRecords> {
    // One commit is one transaction, which takes a part of what waits.
    for (;;) {
      const prepared = await stage.prepare('interval');
      if (prepared === undefined) return;
      const records = prepared.outputs
        .filter(({ topic }) => topic === ASSEMBLER_SETTINGS.tracesTopic)
        .flatMap((output) => output.records);
      await stage.committed(prepared, () => (position += records.length));
      if (records.length > 0) yield { records, spans };
      spans = 0;
    }
  };
  let offset = 0;
  const apply = async (value: Buffer) => {
    nowMs += (MESSAGES_PER_BUNDLE * spansPerMessage * 1000) / SPANS_PER_SECOND;
    await stage.apply([{ offset, timestampMs: nowMs, key: null, value, headers: new Map() }], {
      streamTimeMs: nowMs,
      caughtUp: false,
      nextOffset: ++offset,
    });
  };
  let waiting: Buffer[] = [];
  for await (const message of messages) {
    waiting.push(message);
    if (waiting.length < MESSAGES_PER_BUNDLE) continue;
    await apply(Buffer.concat(waiting));
    waiting = [];
    if (stage.full) yield* commit();
  }
  await apply(Buffer.concat(waiting));
  await stage.apply([], { streamTimeMs: nowMs + LAST_CLOSES_MS, caughtUp: true, nextOffset: offset });
  yield* commit();
}

const LAST_CLOSES_MS = 400_000;
