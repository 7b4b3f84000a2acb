import { isOfUnknownSchema } from '../../../lib/codec/avro.ts';
import { type AssembledTrace, assembledTraceCodec } from '../../../lib/codec/records.ts';
import { SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { LogRecord, PartitionLog } from '../../../lib/kafka/types.ts';

/** Pairs (trace, input offset) that are in committed traces already. */
export class EmittedPairs {
  private readonly offsets = new Map<string, Set<number>>();

  get size(): number {
    return this.offsets.size;
  }

  add(traceKey: string, offset: number): void {
    const known = this.offsets.get(traceKey);
    if (known === undefined) this.offsets.set(traceKey, new Set([offset]));
    else known.add(offset);
  }

  has(traceKey: string, offset: number): boolean {
    return this.offsets.get(traceKey)?.has(offset) ?? false;
  }
}

/**
 * Reads the worker's own output back, from a position that is early enough to at least `end`. Records that no assembler
 * can have written are passed over: one of them must not keep the partition from recovering, and the graph-builder makes
 * a dead letter of each.
 *
 * @throws SpanloomError TRACES_STALE (retryable) when the log serves less than `end`: a lagging leader.
 * @throws SpanloomError TRACES_TOO_SHORT when retention has removed what is needed; the partition must halt, because
 *   going on would emit traces twice.
 * @throws SpanloomError TRACES_SCHEMA_UNKNOWN for a record that a later version may have written; the partition halts too.
 */
export async function readBackTraces(
  log: PartitionLog,
  from: number,
  end: number,
  onTrace: (trace: AssembledTrace) => Promise<void> | void,
): Promise<void> {
  const bounds = await log.bounds();
  if (bounds.end < end) {
    throw new SpanloomError('TRACES_STALE', `The traces log ends at ${bounds.end}, the ledger knows ${end}`, {
      retryable: true,
    });
  }
  if (from < bounds.start && from < end) {
    throw new SpanloomError(
      'TRACES_TOO_SHORT',
      `Recovery must read traces from offset ${from}, but retention has removed them up to ${bounds.start}; raise retention.ms of the traces topic`,
    );
  }
  let offset = from;
  while (offset < end) {
    const fetched = await log.fetch({ offset, maxBytes: READ_BACK_BYTES, maxWaitMs: READ_BACK_WAIT_MS });
    for (const record of fetched.records) {
      const trace = ownTrace(record);
      if (trace !== undefined) await onTrace(trace);
    }
    if (fetched.nextOffset <= offset) {
      throw new SpanloomError(
        'TRACES_STALE',
        `The traces log cannot be read past offset ${offset}, the ledger knows ${end}`,
        { retryable: true },
      );
    }
    offset = fetched.nextOffset;
  }
}

function ownTrace({ value, offset }: LogRecord): AssembledTrace | undefined {
  if (value === null) return undefined;
  try {
    return assembledTraceCodec.decode(value);
  } catch (cause) {
    if (!isOfUnknownSchema(value)) return undefined;
    throw new SpanloomError(
      'TRACES_SCHEMA_UNKNOWN',
      `Offset ${offset} of the traces topic has a schema that this version does not know, so what it emitted cannot be told`,
      { cause },
    );
  }
}

const READ_BACK_BYTES = 4 * 1024 * 1024;
const READ_BACK_WAIT_MS = 100;
